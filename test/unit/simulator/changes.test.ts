import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChangeDescription, LabDescription } from '../../../src/simulator/lab/lab-description';
import { expandClones } from '../../../src/simulator/lab/read-lab';
import { validateLab } from '../../../src/simulator/lab/validate-lab';
import { modulePhone, pixel, startLab } from '../../support/lab';
import { ask, openService, shell } from './support/adb-client';

const PATH = '/sys/kernel/kheaders.tar.xz';
const OTHER = '6.6.30-android15-8-gother';

function labWith(...changes: ChangeDescription[]) {
  return startLab({ devices: [pixel({ changes })] });
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

function answers(port: number, serial: string, commandLine: string): Promise<string> {
  return shell(port, serial, commandLine).then(({ stdout }) => stdout);
}

describe('a device that is handled while the lab runs', () => {
  it('reboots into another kernel: boot id, uname, property, archive and module are that one’s', async () => {
    const lab = await startLab({ devices: [modulePhone({ user: 'root' })] });
    const device = lab.device('MODULE');
    const questions = 'cat /proc/sys/kernel/random/boot_id; uname -r; getprop ro.kernel.version';
    const before = await answers(lab.port, 'MODULE', questions);
    await device.rebootInto({ kernel: { release: OTHER }, headers: { kind: 'built-in' } }, 1);
    expect(device.attached).toBe(false);
    await until(() => device.attached);
    const [bootId, release, version] = (await answers(lab.port, 'MODULE', questions)).split('\n');
    expect([release, version]).toEqual([OTHER, '6.6']);
    expect(before).not.toContain(bootId);
    expect(device.kernel.release).toBe(OTHER);
    expect(device.readFile(PATH)?.length).toBeGreaterThan(0);
    expect(device.readFile('/system_dlkm/lib/modules/kheaders.ko')).toBeUndefined();
  });

  it('has the headers that it had after a reboot into the kernel that it had', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const device = lab.device('PIXEL');
    const archive = device.readFile(PATH);
    device.reboot(1);
    await until(() => device.attached);
    expect(device.readFile(PATH)).toBe(archive);
    await device.rebootInto({ kernel: { release: OTHER } }, 1);
    expect(device.readFile(PATH)?.equals(archive!)).toBe(false);
    await device.rebootInto({}, 1);
    expect(device.readFile(PATH)?.equals(archive!)).toBe(true);
  });

  it('comes back under another serial, with the serial number that it had', async () => {
    const lab = await startLab({ devices: [pixel()] });
    lab.device('PIXEL').rename('192.0.2.9:5555');
    expect(await ask(lab.port, 'host:devices')).toContain('192.0.2.9:5555\tdevice');
    expect(await answers(lab.port, '192.0.2.9:5555', 'getprop ro.serialno')).toBe('PIXEL\n');
    expect(lab.device('192.0.2.9:5555').serial).toBe('192.0.2.9:5555');
    expect(() => lab.device('PIXEL')).toThrow('no device PIXEL');
  });

  it('hangs, with what is under way, until it recovers', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const device = lab.device('PIXEL');
    const open = await openService(lab.port, 'PIXEL', 'shell,v2,raw:sleep 0.05; echo late');
    device.hang();
    let ended = false;
    const all = open.readAll().then((bytes) => {
      ended = true;
      return bytes.toString();
    });
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(ended).toBe(false);
    expect(await ask(lab.port, 'host:devices')).toContain('PIXEL\tdevice');
    device.recover();
    expect(await all).toContain('late\n');
  });

  it('ends what hangs when its cable is pulled, and does not hang after a reboot', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const device = lab.device('PIXEL');
    const open = await openService(lab.port, 'PIXEL', 'shell,v2,raw:sleep 0.02; echo never');
    device.hang();
    device.unplug();
    expect(await open.readAll()).toHaveLength(0);
    device.reboot(1);
    await until(() => device.attached);
    expect(await answers(lab.port, 'PIXEL', 'echo alive')).toBe('alive\n');
  });

  it('stays away for as long as its latest absence lasts', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const device = lab.device('PIXEL');
    device.unplug(20);
    device.unplug();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(device.attached).toBe(false);
    device.unplug(1);
    await until(() => device.attached);
  });

  it('loses a fault that is taken away again', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const takeAway = lab.device('PIXEL').addFault({ on: 'md5', kind: 'wrong-md5' });
    const digest = () => answers(lab.port, 'PIXEL', `md5sum ${PATH}`);
    const wrong = await digest();
    takeAway();
    expect(await digest()).not.toBe(wrong);
  });

  it('is not there while its adb server is down, and is when that is back', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const back = lab.restart(200);
    await until(() =>
      ask(lab.port, 'host:devices').then(
        () => false,
        () => true,
      ),
    );
    await back;
    expect(await ask(lab.port, 'host:devices')).toContain('PIXEL');
  });
});

describe('changes in a lab’s description', () => {
  it('vanish: it leaves the list, and is back', async () => {
    const lab = await labWith({ do: 'vanish', afterMs: 10, everyMs: 100, forMs: 50 });
    const device = lab.device('PIXEL');
    await until(() => !device.attached);
    await until(() => device.attached);
  });

  it('reboot: into each of its kernels in turn', async () => {
    const into = ['6.6.1-a', '6.6.2-b'].map((release) => ({ kernel: { release } }));
    const lab = await labWith({ do: 'reboot', afterMs: 5, everyMs: 40, forMs: 1, into });
    const device = lab.device('PIXEL');
    for (const release of ['6.6.1-a', '6.6.2-b', '6.6.1-a'])
      await until(() => device.kernel.release === release);
  });

  it('rename: to each of its serials in turn', async () => {
    const lab = await labWith({ do: 'rename', afterMs: 5, everyMs: 20, serials: ['ONE', 'TWO'] });
    const [device] = lab.devices;
    for (const serial of ['ONE', 'TWO', 'ONE']) await until(() => device!.serial === serial);
  });

  it('state: it goes into that state, and back', async () => {
    const lab = await labWith({ do: 'state', state: 'unauthorized', afterMs: 10, everyMs: 100, forMs: 50 });
    const listed = () => ask(lab.port, 'host:devices');
    await until(async () => (await listed()).includes('unauthorized'));
    await until(async () => (await listed()).includes('\tdevice'));
  });

  it('fault: it has that fault for a while', async () => {
    const fault = { on: 'md5', kind: 'refuse' } as const;
    const lab = await labWith({ do: 'fault', fault, afterMs: 10, everyMs: 100, forMs: 50 });
    const exitCode = async () => (await shell(lab.port, 'PIXEL', `md5sum ${PATH}`)).exitCode;
    await until(async () => (await exitCode()) === 1);
    await until(async () => (await exitCode()) === 0);
  });

  it('hang: no answer comes until it is over', async () => {
    const lab = await labWith({ do: 'hang', afterMs: 0, forMs: 1000 });
    const later = (milliseconds: number) =>
      new Promise<'silent'>((resolve) => setTimeout(() => resolve('silent'), milliseconds));
    await later(20);
    const answer = answers(lab.port, 'PIXEL', 'echo at last');
    expect(await Promise.race([answer, later(100)])).toBe('silent');
    expect(await answer).toBe('at last\n');
  });

  it('restarts of the server: connections end, and new ones are served', async () => {
    const lab = await startLab({ adb: { restarts: { afterMs: 30 } }, devices: [pixel()] });
    const open = await openService(lab.port, 'PIXEL', 'shell,v2,raw:sleep 100');
    expect(await open.readAll()).toHaveLength(0);
    expect(await answers(lab.port, 'PIXEL', 'echo again')).toBe('again\n');
  });

  it('end with the lab, also while its server is down', async () => {
    const lab = await startLab({
      adb: { restarts: { afterMs: 1, everyMs: 1, forMs: 5 } },
      devices: [pixel()],
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await lab.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await expect(ask(lab.port, 'host:devices')).rejects.toThrow();
  });

  it('come apart for devices with a count, and number their serials', () => {
    const change: ChangeDescription = { do: 'rename', afterMs: 100, apartMs: 10, serials: ['10.0.0.#:5555'] };
    const [first, , third] = expandClones([{ serial: 'A', count: 3, changes: [change] }]);
    expect(first?.changes).toMatchObject([{ afterMs: 100, serials: ['10.0.0.1:5555'] }]);
    expect(third?.changes).toMatchObject([{ afterMs: 120, serials: ['10.0.0.3:5555'] }]);
  });

  it.each([
    [{ do: 'dance', afterMs: 1 }, 'changes[0].do must be one of "vanish", "hang",'],
    [{ do: 'vanish' }, 'changes[0].afterMs is missing'],
    [{ do: 'hang', afterMs: 1, serials: [] }, 'changes[0] has a field "serials" that is not known'],
    [{ do: 'rename', afterMs: 1 }, 'changes[0].serials is missing'],
    [{ do: 'vanish', afterMs: 1, everyMs: 0 }, 'changes[0].everyMs must be a whole number from 1'],
    [{ do: 'reboot', afterMs: 1, into: [{ model: 'x' }] }, 'changes[0].into[0] has a field "model"'],
  ])('are refused where they are %j', (change, message) => {
    expect(() => validateLab({ devices: [{ serial: 'A', changes: [change] }] })).toThrow(message);
  });
});

describe('fixtures/labs/rack.json', () => {
  it('is a rack of two hundred devices, of eight kernels and more, that change', async () => {
    const text = readFileSync(join(__dirname, '../../../fixtures/labs/rack.json'), 'utf8');
    const description = JSON.parse(text) as LabDescription;
    const lab = await startLab(description);
    expect(lab.devices).toHaveLength(200);
    const kernels = new Set(lab.devices.map(({ kernel }) => kernel.release)).size;
    expect(kernels).toBeGreaterThanOrEqual(8);
    const archives = lab.devices
      .map((device) => device.readFile(PATH))
      .filter((bytes) => bytes !== undefined);
    expect(new Set(archives).size).toBeLessThan(kernels);
    const kinds = description.devices.flatMap(({ changes = [] }) => changes.map((change) => change.do));
    expect(new Set(kinds)).toEqual(new Set(['vanish', 'hang', 'state', 'fault', 'reboot', 'rename']));
  });
});
