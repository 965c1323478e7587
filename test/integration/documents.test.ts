import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import Ajv from 'ajv';
import { loadModule } from '../../src/app/load-module';
import { readModuleFile } from '../../src/app/module-file';
import { labServers } from '../../src/app/lab/lab-servers';
import { overDevices } from '../../src/app/over-devices';
import { pullHeaders, type PullOptions } from '../../src/app/pull-headers';
import type { KhEvent } from '../../src/core/events';
import { TIME_LIMITS } from '../../src/core/limits';
import type { Simulator } from '../../src/simulator/simulator';
import { fakeKernelSource } from '../support/fake-kernel-source';
import { kh, startKh } from '../support/kh';
import { modulePhone, pixel, startLab } from '../support/lab';
import { moduleFile } from '../support/made-module';
import { pull } from '../support/pull';
import { SCHEMAS, readSchema, schemaErrors } from '../support/schemas';
import { tempFolder } from '../support/temp-folder';

// `json()` of a run holds each document against its schema: here and wherever else kh runs.

const ROOT = resolve(__dirname, '../..');
const COMMANDS = Object.keys(
  (JSON.parse(readFileSync(join(ROOT, 'oclif.manifest.json'), 'utf8')) as { commands: object }).commands,
)
  .filter((id) => id !== 'autocomplete')
  .map((id) => id.replaceAll(':', '-'));

const { release } = { release: '', ...modulePhone().kernel };

const hello = () =>
  moduleFile('hello-world.ko', {
    name: 'hello_world',
    vermagic: `${release} SMP preempt mod_unload modversions aarch64`,
  });

async function symversFile(): Promise<string> {
  const path = join(await tempFolder(), 'Module.symvers');
  await writeFile(path, '0x92997ed8\t_printk\tvmlinux\tEXPORT_SYMBOL\t\n');
  return path;
}

/** Files that people write, in which nothing unknown is taken. */
const FILES = ['lab', 'lab-manifest', 'manifest-signatures'];

describe('docs/schemas', () => {
  it('has a schema for each command, the events, what every document has, and the files that people write', () => {
    expect([...SCHEMAS].sort()).toEqual([...COMMANDS, 'envelope', 'events', ...FILES].sort());
  });

  it.each(SCHEMAS.filter((name) => !FILES.includes(name)))(
    '%s admits fields that are added later',
    (name) => {
      const validate = new Ajv().compile(readSchema(name));
      const failure = { code: 'USAGE', exitCode: 2, message: 'no', later: 1 };
      const document = { status: 'failed', exitCode: 2, warnings: [], error: failure, later: 1 };
      const event = { type: 'warning', message: 'well', later: 1 };
      expect(validate(name === 'events' ? event : document)).toBe(true);
      expect(validate(name === 'events' ? { type: 'unheard.of' } : { ...document, status: 'well' })).toBe(
        false,
      );
    },
  );
});

describe('the document of', () => {
  it('every command that works on devices is as its schema says', async () => {
    const lab = await startLab({
      devices: [modulePhone(), pixel({ serial: 'ABSENT', headers: { kind: 'absent' } })],
    });
    const { home } = await pull(lab, ['-s', 'MODULE']);
    const commands: [exitCode: number, ...args: string[]][] = [
      [0, 'devices'],
      [0, 'pull', '--force'],
      [0, 'pull'],
      [0, 'symvers', '--symvers', await symversFile()],
      [0, 'load-module', await hello(), 'count=3'],
      [8, 'load-module', await hello()],
      [0, 'unload-module', 'hello_world'],
      [8, 'unload-module', 'hello_world'],
      [5, 'pull', '-s', 'ABSENT'],
      [2, 'build-module', join(home, 'nowhere')],
      [10, 'pull', '-s', 'MODULE', '-s', 'NOWHERE'],
      [2, 'devices', '--jobs', 'many'],
    ];
    for (const [exitCode, ...args] of commands) {
      const run = await kh([...args, '--json'], { lab, home, env: { ANDROID_SERIAL: 'MODULE' } });
      expect(run).toExitWith(exitCode);
      expect(run.json()).toMatchObject({ exitCode });
    }
  });

  it('every command that works on the store and on manifests is as its schema says', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const { home } = await pull(lab);
    const folder = await tempFolder();
    const manifest = join(folder, 'lab.json');
    const key = join(folder, 'lab');
    const commands: [exitCode: number, ...args: string[]][] = [
      [0, 'config', '--jobs', '3', '--exclude', 'A'],
      [0, 'env'],
      [0, 'workspace', 'list'],
      [0, 'workspace', 'show'],
      [0, 'workspace', 'path'],
      [0, 'workspace', 'verify'],
      [5, 'workspace', 'show', '-s', 'NOWHERE'],
      [0, 'manifest', 'add', manifest, '--note', 'as it came'],
      [0, 'manifest', 'show', manifest],
      [0, 'manifest', 'check', manifest],
      [0, 'manifest', 'keygen', key],
      [2, 'manifest', 'keygen', key],
      [0, 'manifest', 'sign', manifest, '--key', `${key}.key`, '--expires', '1d'],
      [0, 'manifest', 'verify', manifest, '--trusted-key', `${key}.pub`],
      [0, 'manifest', 'check-devices', manifest],
      [0, 'manifest', 'revoke', manifest, '--sha256', '1'.repeat(64), '--reason', 'why not'],
      [6, 'manifest', 'verify', manifest, '--trusted-key', `${key}.pub`],
      [0, 'manifest', 'show', manifest],
      [6, 'manifest', 'show', join(ROOT, 'package.json')],
      [0, 'workspace', 'remove', '--all'],
      [0, 'store', 'verify'],
      [0, 'store', 'gc', '--dry-run', '--older-than', '30d', '--max-size', '20G'],
      [2, 'store', 'gc', '--max-size', 'much'],
      [2, 'store', 'gc', '--older-than', '30'],
      [2, 'store', 'gc', '--no-such-flag'],
      [5, 'workspace', 'path'],
      [5, 'env'],
      [2, 'simulate', '--devices', 'many'],
    ];
    // `kh env` looks for a compiler, which need not be on this machine.
    const { bin } = await fakeKernelSource(folder);
    const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    for (const [exitCode, ...args] of commands) {
      const run = await kh([...args, '--json'], { lab, home, env });
      expect(run).toExitWith(exitCode);
      expect(run.json()).toMatchObject({ exitCode });
    }
  });

  it('kh simulate is as its schema says', async () => {
    const running = await startKh(['simulate', '--json']);
    await running.untilStderr(/Ctrl-C ends it/);
    running.send('SIGINT');
    const run = await running.ended;
    expect(run.json()).toMatchObject({ result: { serials: expect.any(Array) as unknown } });
  });
});

/** Does `work` on every device of a lab in this process. @returns what it reported, as a reader of NDJSON has it */
async function eventsOf(
  lab: Simulator,
  work: Parameters<typeof overDevices<unknown>>[2],
): Promise<KhEvent[]> {
  const events: KhEvent[] = [];
  const options = {
    selection: { serials: [], all: true, exclude: [] },
    servers: labServers({ hosts: [lab.host], ports: [lab.port], env: {} }).servers,
    jobs: 2,
    env: { KH_HOME: await tempFolder() },
    times: TIME_LIMITS,
  };
  const { signal } = new AbortController();
  await overDevices(options, { signal, emit: (event) => events.push(event) }, work);
  return events.map((event) => JSON.parse(JSON.stringify(event)) as KhEvent);
}

describe('events', () => {
  const options: PullOptions = { privilege: 'auto', requireManifest: false, force: false };

  it('are as their schema says, from the first look at a device to its end', async () => {
    const lab = await startLab({
      devices: [modulePhone(), pixel({ headers: { kind: 'absent' } }), pixel({ serial: 'SECOND' })],
    });
    const ko = await readModuleFile(await hello());
    const events = await eventsOf(lab, async (device, context) => {
      await pullHeaders(device, options, context);
      await loadModule(device, ko, { parameters: [], privilege: 'auto' }, context);
    });
    expect(events.flatMap((event) => schemaErrors('events', event))).toEqual([]);
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set([
        'device.selected',
        'kernel.identified',
        'privilege.raised',
        'module.loaded',
        'headers.located',
        'pull.progress',
        'archive.received',
        'archive.known',
        'tree.extracted',
        'module.unloaded',
        'headers.ready',
        'module.inserted',
        'device.failed',
      ]),
    );
  });
});
