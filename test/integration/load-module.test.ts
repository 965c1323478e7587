import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectServer } from '../../src/adb/connect-server';
import type { Simulator } from '../../src/simulator/simulator';
import { kh, startKh } from '../support/kh';
import { fault, hangAt, modulePhone, startLab } from '../support/lab';
import { moduleFile } from '../support/made-module';
import { tempFolder } from '../support/temp-folder';

const RELEASE = modulePhone().kernel!.release!;
const vermagic = (release: string) => `${release} SMP preempt mod_unload modversions aarch64`;

/** hello-world.ko, for the kernel of `modulePhone`. */
const hello = () => moduleFile('hello-world.ko', { name: 'hello_world', vermagic: vermagic(RELEASE) });

/** What is in the one folder that kh writes to on a device. */
async function leftOnDevice(lab: Simulator): Promise<string> {
  const { signal } = new AbortController();
  const server = await connectServer({ kind: 'tcp', host: lab.host, port: lab.port }, { signal });
  const [listed] = await server.listDevices({ signal });
  const device = await server.open(listed!, { signal });
  return (await device.run('ls /data/local/tmp', { signal })).stdout.toString();
}

describe('kh load-module', () => {
  it('loads a module as root, and leaves no file on the device', async () => {
    const lab = await startLab({ devices: [modulePhone()] });
    const run = await kh(['load-module', await hello(), 'count=3'], { lab });
    expect(run).toExitWith(0);
    expect(run.stdout).toMatch(/^MODULE: hello_world loaded/);
    expect(lab.device('MODULE').modules()).toEqual(['hello_world']);
    expect(await leftOnDevice(lab)).toBe('');
  });

  it('loads it through su where adbd does not run as root', async () => {
    const lab = await startLab({ devices: [modulePhone({ adbRoot: 'refused', su: 'magisk' })] });
    const run = await kh(['load-module', await hello(), '--json'], { lab });
    expect(run).toExitWith(0);
    expect(run.json()).toMatchObject({
      devices: [{ result: { module: 'hello_world', privilege: 'su', parameters: [] } }],
    });
    expect(await leftOnDevice(lab)).toBe('');
  });

  it('refuses to load what is loaded', async () => {
    const lab = await startLab({ devices: [modulePhone()] });
    lab.device('MODULE').loadModule('hello_world');
    const run = await kh(['load-module', await hello(), '--json'], { lab });
    expect(run).toExitWith(8);
    expect(run.json()).toMatchObject({ devices: [{ error: { code: 'MODULE_LOADED' } }] });
  });

  it('shows what the kernel said of a module of another kernel, and what it means', async () => {
    const lab = await startLab({ devices: [modulePhone()] });
    const ko = await moduleFile('other.ko', { name: 'other', vermagic: vermagic('5.15.1-other') });
    const run = await kh(['load-module', ko], { lab });
    expect(run).toExitWith(8);
    expect(run.stderr).toMatch(/^MODULE: kernel: other: version magic '5\.15\.1-other .*\(it was built for/m);
    expect(run.stderr).toMatch(/^error: MODULE: the kernel did not load .*other\.ko: other: version magic/m);
    expect(run.stderr).toMatch(/^ {2}It was built for kernel 5\.15\.1-other, and another one runs\. /m);
    expect(lab.device('MODULE').modules()).toEqual([]);
    expect(await leftOnDevice(lab)).toBe('');
  });

  it('says that root is needed where there is none', async () => {
    const lab = await startLab({ devices: [modulePhone({ adbRoot: 'refused', su: 'none' })] });
    const run = await kh(['load-module', await hello(), '--json'], { lab });
    expect(run).toExitWith(8);
    expect(run.json()).toMatchObject({ devices: [{ error: { code: 'MODULE_DENIED' } }] });
    expect(await leftOnDevice(lab)).toBe('');
  });

  it('is for several devices at once, each with its own outcome', async () => {
    const devices = [modulePhone(), modulePhone({ serial: 'OLD', kernel: { release: '5.10.1' } })];
    const lab = await startLab({ devices });
    const run = await kh(['load-module', await hello(), '--all', '--json'], { lab });
    expect(run).toExitWith(10);
    expect(run.json()).toMatchObject({
      devices: [
        { serial: 'MODULE', status: 'ok' },
        {
          serial: 'OLD',
          status: 'failed',
          error: { code: 'MODULE_REFUSED', details: { module: 'hello_world' } },
        },
      ],
    });
  });

  it('reports a device that restarts meanwhile as lost, and where its last words are', async () => {
    const faults = [{ ...fault('gone', 'shell', 0), match: 'insmod', times: 1 }];
    const lab = await startLab({ devices: [modulePhone({ faults })] });
    const run = await kh(['load-module', await hello()], { lab });
    expect(run).toExitWith(4);
    expect(run.stderr).toMatch(
      /^error: MODULE: lost while loading .*hello-world\.ko: the kernel may have panicked$/m,
    );
    expect(run.stderr).toContain('/sys/fs/pstore');
  });

  it('removes the file when it is interrupted', async () => {
    const faults = [{ ...hangAt('shell', 0), match: 'insmod' }];
    const lab = await startLab({ devices: [modulePhone({ faults })] });
    const running = await startKh(['load-module', await hello()], { lab });
    await running.untilStderr(/as root/);
    await new Promise((resolve) => setTimeout(resolve, 500));
    running.send('SIGINT');
    expect(await running.ended).toExitWith(130);
    lab.device('MODULE').clearFaults();
    expect(await leftOnDevice(lab)).toBe('');
  });

  it.each([
    ['a file that is not there', ['missing.ko'], 2, /missing\.ko cannot be read/],
    ['a word that is no parameter', ['KO', '=3'], 2, /"=3" is no module parameter/],
    ['what is no module', ['TEXT'], 8, /is no ELF file/],
  ] as const)('refuses %s', async (_, words, exitCode, message) => {
    const lab = await startLab({ devices: [modulePhone()] });
    const text = join(await tempFolder(), 'text.ko');
    await writeFile(text, 'no module');
    const ko = await hello();
    const args = words.map((word) => (word === 'KO' ? ko : word === 'TEXT' ? text : word));
    const run = await kh(['load-module', ...args], { lab });
    expect(run).toExitWith(exitCode);
    expect(run.stderr).toMatch(message);
    expect(lab.device('MODULE').counters.modulesLoaded).toBe(0);
  });
});

describe('kh unload-module', () => {
  it('unloads a module by the name of its file', async () => {
    const lab = await startLab({ devices: [modulePhone()] });
    lab.device('MODULE').loadModule('hello_world');
    const run = await kh(['unload-module', 'out/hello-world.ko'], { lab });
    expect(run).toExitWith(0);
    expect(run.stdout).toMatch(/^MODULE: hello_world unloaded/);
    expect(lab.device('MODULE').modules()).toEqual([]);
  });

  it('says that it is not loaded', async () => {
    const lab = await startLab({ devices: [modulePhone()] });
    const run = await kh(['unload-module', 'hello', '--json'], { lab });
    expect(run).toExitWith(8);
    expect(run.json()).toMatchObject({ devices: [{ error: { code: 'MODULE_NOT_LOADED' } }] });
  });

  it('refuses what no module can be called', async () => {
    const run = await kh(['unload-module', 'a b; reboot']);
    expect(run).toExitWith(2);
    expect(run.stderr).toContain('is no module');
  });
});
