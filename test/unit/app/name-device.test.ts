import type { ListedDevice } from '../../../src/adb/device-list';
import type { AttachedDevice, Context } from '../../../src/app/context';
import { knownName, nameDevice } from '../../../src/app/name-device';
import { ARCHIVE_LIMITS } from '../../../src/core/limits';
import { probeDevice } from '../../../src/device/probe';
import { openStore } from '../../../src/store/layout';
import { tempFolder } from '../../support/temp-folder';
import { fakeDevice, recordedWork } from '../device/support/fake-device';

const BOOT_A = '11111111-1111-4111-8111-111111111111';
const BOOT_B = '22222222-2222-4222-8222-222222222222';

async function newContext(): Promise<Context> {
  return { ...recordedWork(), store: await openStore({ home: await tempFolder() }), limits: ARCHIVE_LIMITS };
}

/** A cheap phone: its serial number is everyone's. `attached` is what adb lists. */
async function cheapPhone(listed: ListedDevice, bootId: string, attached: [ListedDevice, string][]) {
  const phone = (boot: string) =>
    fakeDevice({
      answers: [
        [/^uname/, '6.1.0 #1 aarch64'],
        [/boot_id/, boot],
        [/serialno/, 'CHEAP'],
      ],
    });
  const adb = phone(bootId);
  const server = {
    address: { kind: 'tcp', host: 'localhost', port: 5037 },
    listDevices: () => Promise.resolve(attached.map(([other]) => other)),
    open: (asked: ListedDevice) =>
      Promise.resolve(phone(attached.find(([other]) => other === asked)?.[1] ?? '')),
  } as unknown as AttachedDevice['server'];
  const probe = await probeDevice({ adb, privilege: 'plain', root: false }, recordedWork());
  return { device: { server, listed, adb }, probe };
}

const first: ListedDevice = { serial: 'CHEAP', state: 'device', devpath: 'usb:1' };
const second: ListedDevice = { serial: 'CHEAP', state: 'device', devpath: 'usb:2' };

async function namesOf(boots: [string, string], attached: [ListedDevice, string][], later = 0) {
  const context = await newContext();
  const one = await cheapPhone(first, boots[0], attached);
  const two = await cheapPhone(second, boots[1], attached);
  const name = await nameDevice(one.device, one.probe, context);
  const now = Date.now();
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => now + later);
  try {
    return [name, await nameDevice(two.device, two.probe, context)];
  } finally {
    clock.mockRestore();
  }
}

describe('nameDevice', () => {
  it('tells two attached phones with one serial number apart, also where adb knows no transport ids', async () => {
    const [one, two] = await namesOf(
      [BOOT_A, BOOT_B],
      [
        [first, BOOT_A],
        [second, BOOT_B],
      ],
    );
    expect(one).toBe('CHEAP');
    expect(two).toMatch(/^CHEAP~[0-9a-f]{10}$/);
  });

  it('tells them apart where neither says which boot it is in', async () => {
    const [one, two] = await namesOf(
      ['', ''],
      [
        [first, ''],
        [second, ''],
      ],
    );
    expect(two).not.toBe(one);
  });

  it('does not give away the name of a phone that may only be restarting its adbd', async () => {
    const [one, two] = await namesOf([BOOT_A, BOOT_B], [[second, BOOT_B]]);
    expect(two).not.toBe(one);
  });

  it('knows no name of a phone whose twin alone has one', async () => {
    const context = await newContext();
    const attached: [ListedDevice, string][] = [
      [first, BOOT_A],
      [second, BOOT_B],
    ];
    const one = await cheapPhone(first, BOOT_A, attached);
    const two = await cheapPhone(second, BOOT_B, attached);
    await nameDevice(one.device, one.probe, context);
    expect(await knownName(one.device, one.probe, context)).toBe('CHEAP');
    expect(await knownName(two.device, two.probe, context)).toBeUndefined();
  });

  it('gives it away where that phone has long been gone', async () => {
    const [one, two] = await namesOf([BOOT_A, BOOT_B], [[second, BOOT_B]], 3600_000);
    expect(two).toBe(one);
  });
});
