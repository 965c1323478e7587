import type { AdbServer } from '../../../src/adb/adb-server';
import { awaitReady } from '../../../src/adb/await-ready';
import type { ListedDevice } from '../../../src/adb/device-list';

const signal = new AbortController().signal;
const pixel = (state: string, transportId = '7'): ListedDevice => ({
  serial: 'PIXEL',
  state,
  devpath: 'usb:1-4',
  transportId,
});

/** A server whose list is another one at each question, and then stays. */
function listing(...lists: ListedDevice[][]): AdbServer & { asked: number } {
  const server = {
    asked: 0,
    address: { kind: 'tcp', host: 'lab', port: 5037 } as const,
    version: 41,
    listDevices: () => Promise.resolve(lists[Math.min(server.asked++, lists.length - 1)] ?? []),
    trackDevices: () => {
      throw new Error('not asked for');
    },
    open: () => Promise.reject(new Error('not asked for')),
  };
  return server;
}

describe('awaitReady', () => {
  it('gives a device that is ready back at once, unasked', async () => {
    const server = listing();
    expect(await awaitReady(server, pixel('device'), { signal })).toEqual(pixel('device'));
    expect(server.asked).toBe(0);
  });

  it('waits while the device settles, tells each state once, and gives the fresh entry', async () => {
    const server = listing(
      [pixel('offline')],
      [pixel('authorizing')],
      [],
      [{ ...pixel('device', '6'), devpath: 'usb:1-5' }, pixel('device', '8')],
    );
    const states: string[] = [];
    const ready = await awaitReady(server, pixel('offline'), {
      signal,
      onState: (state) => states.push(state),
    });
    expect(ready).toEqual(pixel('device', '8'));
    expect(states).toEqual(['offline', 'authorizing']);
  });

  it.each([
    ['offline', 'DEVICE_OFFLINE'],
    ['connecting', 'DEVICE_OFFLINE'],
    ['authorizing', 'DEVICE_UNAUTHORIZED'],
    ['unauthorized', 'DEVICE_UNAUTHORIZED'],
  ])('gives up a device that stays %s with %s', async (state, code) => {
    const server = listing([pixel(state)]);
    await expect(awaitReady(server, pixel(state), { signal, timeout: 150 })).rejects.toMatchObject({
      code,
      serial: 'PIXEL',
      details: { state },
    });
    expect(server.asked).toBeGreaterThan(0);
  });

  it.each([
    ['no permissions', 'DEVICE_NO_PERMISSIONS', 'udev'],
    ['bootloader', 'DEVICE_WRONG_STATE', 'fastboot reboot'],
    ['recovery', 'DEVICE_WRONG_STATE', 'adb reboot'],
    ['sideload', 'DEVICE_WRONG_STATE', 'menu'],
    ['hovering', 'DEVICE_WRONG_STATE', 'state "device"'],
  ])('does not wait for a device that is in %s, and says what helps', async (state, code, hint) => {
    const server = listing();
    await expect(awaitReady(server, pixel(state), { signal })).rejects.toMatchObject({
      code,
      hint: expect.stringContaining(hint) as string,
    });
    expect(server.asked).toBe(0);
  });

  it('says what adb says of the permissions', async () => {
    const denied = { ...pixel('no permissions'), note: 'user is not in the plugdev group' };
    await expect(awaitReady(listing(), denied, { signal })).rejects.toThrow('not in the plugdev group');
  });

  it('reports a device that went away while it was waited for', async () => {
    await expect(awaitReady(listing([]), pixel('offline'), { signal, timeout: 150 })).rejects.toMatchObject({
      code: 'DEVICE_LOST',
      serial: 'PIXEL',
    });
  });

  it('ends with the signal’s reason', async () => {
    const controller = new AbortController();
    const waiting = awaitReady(listing([pixel('offline')]), pixel('offline'), { signal: controller.signal });
    controller.abort('enough');
    await expect(waiting).rejects.toBe('enough');
  });
});
