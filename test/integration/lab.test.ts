import { createServer, type AddressInfo } from 'node:net';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeviceDescription } from '../../src/app/describe-devices';
import type { PulledHeaders } from '../../src/app/pull-headers';
import type { ServerReport } from '../../src/app/lab/reach-lab';
import type { ErrorReport } from '../../src/core/errors';
import type { DeviceOutcome } from '../../src/core/outcome';
import type { Simulator } from '../../src/simulator/simulator';
import { kh, type KhOptions, type KhRun } from '../support/kh';
import { cuttlefish, modulePhone, pixel, startLab } from '../support/lab';
import { storeTrees, storeWorkspaces } from '../support/store-contents';
import { tempFolder } from '../support/temp-folder';

/** adb's variables unset, so that the lab file counts. */
const NO_SERVER = { ANDROID_ADB_SERVER_ADDRESS: '', ANDROID_ADB_SERVER_PORT: '' };

/** A working folder whose lab file names these servers, one address or simulator each. */
async function labFolder(servers: Record<string, Pick<Simulator, 'host' | 'port'>>, more: object = {}) {
  const folder = await tempFolder();
  const named = Object.entries(servers).map(([name, { host, port }]) => ({ name, host, port }));
  await writeFile(join(folder, 'kh.lab.json'), JSON.stringify({ servers: named, ...more }));
  return folder;
}

/** Runs kh where the lab file is. */
function inLab(cwd: string, args: string[], options: KhOptions = {}): Promise<KhRun> {
  return kh(args, { cwd, ...options, env: { ...NO_SERVER, ...options.env } });
}

interface Document {
  status: string;
  devices: DeviceOutcome<PulledHeaders>[];
  servers: ServerReport[];
  warnings: object[];
  error?: ErrorReport;
}

const document = (run: KhRun) => run.json() as Document;

function workspaces(run: KhRun): string[] {
  return document(run).devices.map((one) => (one.status === 'ok' ? one.result.workspace : one.error.code));
}

/** Where nothing listens: the port was free a moment ago. */
async function deadPort(): Promise<{ host: string; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return { host: '127.0.0.1', port };
}

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** A server that takes connections, and answers a request as told; the empty text is no answer. */
async function oddServer(answer: (request: string) => string): Promise<{ host: string; port: number }> {
  const server = createServer((socket) => {
    closers.push(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('data', (data) => socket.write(answer(data.toString('latin1'))));
  });
  closers.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

/** Says its version, and begins a list of devices that does not come. */
const endless = (request: string) => (request.includes('version') ? 'OKAY00040029' : 'OKAYffff');

const CHEAP = '0123456789ABCDEF';

describe('kh over several adb servers', () => {
  it('pulls from all of them in one run, and names each device with its server', async () => {
    const rack1 = await startLab({ devices: [pixel({ serial: 'A' }), modulePhone()] });
    const rack2 = await startLab({ devices: [pixel({ serial: 'B' }), cuttlefish()] });
    const run = await inLab(await labFolder({ rack1, rack2 }), ['pull', '--all', '--verbose']);
    expect(run).toExitWith(0);
    const lines = run.stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split('\t')[0])).toEqual([
      'rack1/A',
      'rack1/MODULE',
      'rack2/B',
      'rack2/CUTTLEFISH',
    ]);
    expect(run.stderr).toMatch(/^rack2\/B: kernel 6\.1\.145/m);
    expect(await storeTrees(run.home)).toHaveLength(3);
  });

  it('tells in JSON of every device where it is, and of every server how it is', async () => {
    const rack1 = await startLab({ devices: [pixel({ serial: 'A' })] });
    const rack2 = await startLab({ devices: [] });
    const run = await kh(['pull', '--all', '--json', '-P', String(rack1.port), '-P', String(rack2.port)]);
    expect(run).toExitWith(0);
    const [one, two] = [rack1, rack2].map(({ address }) => address);
    expect(document(run)).toMatchObject({
      devices: [{ serial: 'A', server: one, name: `${one}/A`, status: 'ok' }],
      servers: [
        { name: one, address: one, state: 'ok', version: 41, devices: 1 },
        { name: two, address: two, state: 'ok', version: 41, devices: 0 },
      ],
    });
  });

  it('shows the server of each device in the table', async () => {
    const rack1 = await startLab({ devices: [pixel()] });
    const rack2 = await startLab({ devices: [pixel()] });
    const run = await inLab(await labFolder({ rack1, rack2 }), ['devices']);
    expect(run).toExitWith(0);
    expect(run.stdout).toMatch(/^SERVER +SERIAL .*\nrack1 +PIXEL +device .*\nrack2 +PIXEL +device /);
  });

  it('refuses a serial that two servers have, from -s and from ANDROID_SERIAL', async () => {
    const rack1 = await startLab({ devices: [pixel()] });
    const rack2 = await startLab({ devices: [pixel()] });
    const cwd = await labFolder({ rack1, rack2 });
    const runs = [
      await inLab(cwd, ['pull', '-s', 'PIXEL']),
      await inLab(cwd, ['pull'], { env: { ANDROID_SERIAL: 'PIXEL' } }),
    ];
    for (const run of runs) {
      expect(run).toExitWith(3);
      expect(run.stderr).toMatch(/2 attached devices answer to this: rack1\/PIXEL.*, rack2\/PIXEL/);
      expect(run.stderr).toMatch(/-s rack1\/PIXEL/);
    }
    const chosen = await inLab(cwd, ['pull', '--json', '-s', 'rack2/PIXEL']);
    expect(chosen).toExitWith(0);
    expect(document(chosen).devices).toMatchObject([{ server: 'rack2', status: 'ok' }]);
    expect(rack1.device('PIXEL').counters.services).toEqual({});
  });

  it('keeps two boards with one serial, at one port of two hosts, apart: in one run, and in runs of their own', async () => {
    const board = (release: string) =>
      pixel({ serial: CHEAP, kernel: { release, version: `#1 ${release}` } });
    const rack1 = await startLab({ devices: [board('5.15.1-one')] });
    const rack2 = await startLab({ devices: [board('5.15.2-two')] });
    const cwd = await labFolder({ rack1, rack2 });
    const both = await inLab(cwd, ['pull', '--all', '--json']);
    expect(both).toExitWith(0);
    const [one, two] = workspaces(both);
    expect(one).toMatch(/5\.15\.1-one$/);
    expect(two).toMatch(/5\.15\.2-two$/);
    const renamed = [one, two].filter((workspace = '') => /~[0-9a-f]{10}\//.test(workspace));
    expect(renamed).toHaveLength(1); // whichever came second
    for (const [lab, workspace] of [
      [rack2, two],
      [rack1, one],
      [rack2, two],
    ] as const) {
      const alone = await kh(['pull', '--json'], { lab, home: both.home });
      expect(workspaces(alone)).toEqual([workspace]);
    }
    expect(await storeWorkspaces(both.home)).toHaveLength(2);
  });

  it('does not give away the name of a board that is at a server of another run', async () => {
    const home = await tempFolder();
    const rack1 = await startLab({ devices: [pixel({ serial: CHEAP })] });
    const rack2 = await startLab({ devices: [pixel({ serial: CHEAP })] });
    const [first] = workspaces(await kh(['pull', '--json'], { lab: rack1, home }));
    const [claim] = [join(home, 'v1', 'devices', `${CHEAP}.json`)];
    const seen = JSON.parse(await readFile(claim, 'utf8')) as object;
    await writeFile(claim, JSON.stringify({ ...seen, seenAt: '2020-01-01T00:00:00.000Z' }));
    const [second] = workspaces(await kh(['pull', '--json'], { lab: rack2, home }));
    expect(second).not.toBe(first);
  });

  it('gives one phone that two servers show one workspace', async () => {
    const bootId = { '/proc/sys/kernel/random/boot_id': 'b0000000-0000-4000-8000-000000000001\n' };
    const phone = pixel({ serial: 'USB', serialno: 'PHONE', files: bootId });
    const overNet = pixel({ serial: '192.0.2.7:5555', serialno: 'PHONE', connection: 'tcp', files: bootId });
    const rack1 = await startLab({ devices: [phone] });
    const rack2 = await startLab({ devices: [overNet] });
    const run = await inLab(await labFolder({ rack1, rack2 }), ['pull', '--all', '--json']);
    expect(run).toExitWith(0);
    expect(new Set(workspaces(run)).size).toBe(1);
    expect(await storeWorkspaces(run.home)).toHaveLength(1);
  });
});

describe('kh where one of several adb servers', () => {
  const timeouts = { connect: '500ms' };

  it.each([
    ['is down', deadPort, 'ADB_UNAVAILABLE', /connection refused/],
    ['hangs', () => oddServer(() => ''), 'ADB_UNAVAILABLE', /no answer from an adb server/],
    ['lies', () => oddServer(() => 'HTTP/1.1 400 Bad Request\r\n\r\n'), 'ADB_PROTOCOL', /not adb's protocol/],
    ['gives a list that never ends', () => oddServer(endless), 'TIMEOUT', /timed out/],
  ])(
    '%s does the devices of the others, says which and why, and exits with 10',
    async (_how, start, code, why) => {
      const rack1 = await startLab({ devices: [pixel()] });
      const cwd = await labFolder({ rack1, rack2: await start() }, { timeouts });
      const run = await inLab(cwd, ['pull', '--all', '--json']);
      expect(run).toExitWith(10);
      expect(document(run)).toMatchObject({
        status: 'partial',
        devices: [{ name: 'rack1/PIXEL', status: 'ok' }],
        servers: [
          { name: 'rack1', state: 'ok' },
          { name: 'rack2', state: 'failed', error: { code } },
        ],
        warnings: [{ server: 'rack2', message: expect.stringMatching(why) as string }],
      });
      expect(run.stderr).toMatch(/^warning: rack2: .* Its devices are missing here\.$/m);
    },
  );

  it('is down lists the devices of the others, and exits with 10', async () => {
    const rack1 = await startLab({ devices: [pixel()] });
    const run = await inLab(await labFolder({ rack1, rack2: await deadPort() }), ['devices', '--json']);
    expect(run).toExitWith(10);
    const { devices } = run.json() as { devices: DeviceDescription[] };
    expect(devices).toMatchObject([{ name: 'rack1/PIXEL', server: 'rack1', state: 'device' }]);
  });

  it('is down does what -s names, and all is well', async () => {
    const rack1 = await startLab({ devices: [pixel()] });
    const cwd = await labFolder({ rack1, rack2: await deadPort() });
    expect(await inLab(cwd, ['pull', '-s', 'PIXEL'])).toExitWith(0);
    const missing = await inLab(cwd, ['pull', '-s', 'OTHER']);
    expect(missing).toExitWith(3);
    expect(missing.stderr).toMatch(/What is attached to rack2 is not known/);
  });

  it('is down takes no device for the only one', async () => {
    const rack1 = await startLab({ devices: [pixel()] });
    const run = await inLab(await labFolder({ rack1, rack2: await deadPort() }), ['pull']);
    expect(run).toExitWith(4);
    expect(run.stderr).toMatch(/not known whether rack1\/PIXEL is the only device/);
    expect(rack1.device('PIXEL').counters.services).toEqual({});
  });

  it('is down, and all others too, fails as a whole', async () => {
    const cwd = await labFolder({ rack1: await deadPort(), rack2: await deadPort() });
    const run = await inLab(cwd, ['pull', '--all', '--json']);
    expect(run).toExitWith(4);
    expect(document(run).error).toMatchObject({
      code: 'ADB_UNAVAILABLE',
      message: expect.stringMatching(/none of the 2 adb servers.*rack1: .*rack2: /) as string,
    });
  });

  it('is down is a case of its own in a report', async () => {
    const rack1 = await startLab({ devices: [pixel()] });
    const cwd = await labFolder({ rack1, rack2: await deadPort() });
    expect(await inLab(cwd, ['pull', '--all', '--report', 'junit=out.xml'])).toExitWith(10);
    const report = await readFile(join(cwd, 'out.xml'), 'utf8');
    expect(report).toMatch(/<testcase [^>]*name="rack1\/PIXEL"/);
    expect(report).toMatch(/<testcase [^>]*name="rack2"[^>]*>\s*<failure [^>]*ADB_UNAVAILABLE/);
  });
});

describe('a lab file', () => {
  it('counts from the folders above, and gives way to the environment and to flags', async () => {
    const rack1 = await startLab({ devices: [pixel({ serial: 'A' }), pixel({ serial: 'B' })] });
    const other = await startLab({ devices: [pixel({ serial: 'C' })] });
    const folder = await labFolder({ rack1 }, { exclude: ['B'] });
    const cwd = join(folder, 'deep', 'down');
    await mkdir(cwd, { recursive: true });
    const serials = async (args: string[], env: Record<string, string> = {}) =>
      document(await inLab(cwd, ['pull', '--all', '--json', ...args], { env })).devices.map(
        ({ serial }) => serial,
      );
    expect(await serials([])).toEqual(['A']);
    expect(await serials([], { ANDROID_ADB_SERVER_PORT: String(other.port) })).toEqual(['C']);
    expect(await serials(['-H', other.address])).toEqual(['C']);
    expect(await serials(['--lab', 'none', '-H', rack1.address])).toEqual(['A', 'B']);
    expect(document(await inLab(cwd, ['pull', '-s', 'B', '--json'])).status).toBe('ok');
  });

  it('sets the manifest for all, unless a flag says otherwise', async () => {
    const rack1 = await startLab({ devices: [pixel()] });
    const manifest = { manifest: 'trusted.json', requireManifest: true };
    const cwd = await labFolder({ rack1 }, manifest);
    const digests = { md5: '0'.repeat(32), sha256: '0'.repeat(64), bytes: 1 };
    const other = { release: '5.10.0', version: '#1', ...digests, added: '2026-01-01T00:00:00.000Z' };
    await writeFile(join(cwd, 'trusted.json'), JSON.stringify({ kheaders: 1, kernels: [other] }));
    const strict = await inLab(cwd, ['pull']);
    expect(strict).toExitWith(6);
    expect(strict.stderr).toMatch(/trusted\.json has no entry for kernel/);
    expect(await inLab(cwd, ['pull', '--no-require-manifest'])).toExitWith(0);
  });

  it('that is not valid stops every command that meets devices, with file and place', async () => {
    const rack1 = await startLab({ devices: [pixel()] });
    const cwd = await labFolder({ rack1 }, { job: 3 });
    const run = await inLab(cwd, ['pull']);
    expect(run).toExitWith(2);
    expect(run.stderr).toContain(`${join(cwd, 'kh.lab.json')} is not valid: it has a field "job"`);
    expect(rack1.device('PIXEL').counters.services).toEqual({});
  });
});

describe('kh config', () => {
  const origins = (run: KhRun) => {
    const { result } = run.json() as {
      result: { labFile: string; settings: { name: string; value: unknown; from: object }[] };
    };
    return new Map(result.settings.map(({ name, value, from }) => [name, { value, from }]));
  };

  it('says of every setting where its value comes from', async () => {
    const cwd = await tempFolder();
    const path = join(cwd, 'kh.lab.json');
    const lab = {
      servers: ['r1', 'r2'],
      jobs: 3,
      privilege: 'su',
      manifest: 'm',
      timeouts: { device: '1m' },
    };
    await writeFile(path, JSON.stringify(lab));
    const run = await inLab(cwd, ['config', '--json', '--privilege', 'none'], { env: { KH_JOBS: '5' } });
    expect(run).toExitWith(0);
    const found = origins(run);
    expect(found.get('privilege')).toEqual({ value: 'none', from: { kind: 'flag', flag: '--privilege' } });
    expect(found.get('jobs')).toEqual({ value: 5, from: { kind: 'environment', variable: 'KH_JOBS' } });
    const ofLab = (key: string) => ({ kind: 'lab file', path, key });
    expect(found.get('timeouts.device')).toEqual({ value: 60_000, from: ofLab('timeouts.device') });
    expect(found.get('manifest')).toEqual({ value: join(cwd, 'm'), from: ofLab('manifest') });
    expect(found.get('servers')).toEqual({
      value: [
        { name: 'r1:5037', address: 'r1:5037' },
        { name: 'r2:5037', address: 'r2:5037' },
      ],
      from: ofLab('servers'),
    });
    expect(found.get('requireManifest')).toEqual({ value: false, from: { kind: 'default' } });
    expect(found.get('timeouts.stall')).toEqual({ value: 30_000, from: { kind: 'default' } });
  });

  it('shows a table', async () => {
    const run = await kh(['config', '-s', 'A', '-P', '5040']);
    expect(run).toExitWith(0);
    expect(run.stdout).toMatch(/^SETTING +VALUE +FROM\n/);
    expect(run.stdout).toMatch(/^servers +127\.0\.0\.1:5040 +--adb-port$/m);
    expect(run.stdout).toMatch(/^devices +A +--serial$/m);
    expect(run.stdout).toMatch(/^jobs +8 +default$/m);
  });
});
