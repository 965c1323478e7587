import { join } from 'node:path';
import type { PulledHeaders } from '../../src/app/pull-headers';
import type { ErrorCode } from '../../src/core/errors';
import { EXIT_CODES } from '../../src/core/errors';
import type { DeviceOutcome } from '../../src/core/outcome';
import type { FaultDescription } from '../../src/simulator/faults';
import type { DeviceDescription } from '../../src/simulator/lab/lab-description';
import { kh } from '../support/kh';
import { largeArchive, pixel, startLab, withLargeArchive } from '../support/lab';
import { outcomesOf, pull } from '../support/pull';
import { folderListing, stagingLeftovers, storeTrees, storeWorkspaces } from '../support/store-contents';

/** What a cell of the matrix comes to: the workspace is there, with a warning where one is due, or an error. */
type Expected = { done: true; warning?: RegExp } | { code: ErrorCode; message: RegExp };

const KINDS = ['refuse', 'hang', 'close', 'dribble', 'garbage', 'wrong-length', 'wrong-size'] as const;
type Kind = (typeof KINDS)[number];

/** One thing that kh asks of a device in a pull. */
interface Step {
  name: string;
  /** The headers are in a module, and root comes by su: without, they are built in. */
  module?: true;
  /** Asked while the archive flows: what was received and verified is kept though the pull fails. */
  aside?: true;
  /** Which question is struck. */
  where: Pick<FaultDescription, 'on' | 'match' | 'skip'>;
  /** The byte of the answer; by the serial where answers before it hold the serial. */
  at?: number | ((serial: string) => number);
  /** A byte that says how long a frame is; undefined where there are none. */
  lengthAt?: number | ((serial: string) => number);
  /** Where a fault of this kind is put in another way. */
  instead?: Partial<Record<Kind, FaultDescription>>;
  expected: Record<Kind, Expected | undefined>;
}

const TIMEOUT = 8;
/** Seconds that a device may take after that: an answer that is on its way is waited for, and the module unloaded. */
const GRACE = 15;

const done: Expected = { done: true };
const hung: Expected = { code: 'TIMEOUT', message: /timed out after 8 s on this device/ };
const hungWhile = (doing: string): Expected => ({
  code: 'TIMEOUT',
  message: new RegExp(`timed out after 8 s on this device \\(--timeout\\), while ${doing}`),
});
const garbled: Expected = { code: 'ADB_PROTOCOL', message: /the answer is not adb's protocol: / };
const refused: Expected = { code: 'ADB_PROTOCOL', message: /adb refused ".*": closed/ };
const offline: Expected = { code: 'DEVICE_OFFLINE', message: /the device is offline/ };
const short: Expected = { code: 'VERIFY_SIZE', message: /has \d+ bytes on the device, but \d+ arrived/ };
const unsaid: Expected = { code: 'REMOTE_COMMAND_FAILED', message: /did not say which kernel runs/ };
const leftLoaded: Expected = { done: true, warning: /its module kheaders is left loaded: / };
const lostWhile = (doing: string): Expected => ({
  code: 'DEVICE_LOST',
  message: new RegExp(`: lost while ${doing}`),
});

/** Of a command whose answer kh needs: byte 32 is in the length of its second frame, byte 40 in its text. */
const inShell = (match: string, doing: string, skip = 0) => ({
  where: { on: 'shell', match, skip } as const,
  at: 40,
  lengthAt: 32,
  expected: {
    refuse: refused,
    hang: hungWhile(doing),
    close: lostWhile(doing),
    dribble: done,
    garbage: garbled,
    'wrong-length': garbled,
    'wrong-size': unsaid,
  },
});

const CONTENT = { on: 'recv', match: 'kheaders' } as const;
/** One DATA frame holds a page of the file. */
const FRAME = 4096 + 8;

/** At byte `at` of the file. */
const inFile = (name: string, at: number, expected: Partial<Step['expected']> = {}): Step => {
  const frame = Math.floor(at / 4096);
  return {
    name,
    where: CONTENT,
    at: frame * FRAME + 8 + (at % 4096),
    lengthAt: frame * FRAME + 4,
    instead: {
      refuse: { ...CONTENT, kind: 'fail', at },
      'wrong-size': { ...CONTENT, kind: 'wrong-size', at },
    },
    expected: {
      refuse: { code: 'REMOTE_IO', message: /read failed: I\/O error at \d+ K?B of/ },
      hang: hung,
      close: lostWhile('pulling .* at \\d+ K?B of'),
      dribble: done,
      garbage: garbled,
      'wrong-length': garbled,
      'wrong-size': short,
      ...expected,
    },
  };
};

/** The same where root reads it by su, without frames. */
const inStream = (name: string, at: number): Step => ({
  name,
  module: true,
  where: { on: 'exec' },
  at,
  instead: at === 0 ? {} : { refuse: { on: 'exec', kind: 'fail', at } },
  expected: {
    refuse: at === 0 ? refused : short,
    hang: hung,
    close: short,
    dribble: done,
    garbage: short,
    'wrong-length': undefined,
    'wrong-size': short,
  },
});

function allSteps(bytes: number): Step[] {
  const probe = inShell('uname -r', 'asking which kernel runs');
  /** Answers to which kernel, boot, serial number, user and module come before that of stat. */
  const statAnswer = (serial: string) => 308 + 2 * serial.length;
  const root = inShell('', 'asking su for root');
  return [
    {
      name: 'connect',
      where: { on: 'connect' },
      expected: {
        ...probe.expected,
        refuse: offline,
        'wrong-size': undefined,
      },
    },
    {
      name: 'features',
      where: { on: 'features' },
      lengthAt: 7,
      expected: {
        ...probe.expected,
        refuse: offline,
        hang: hung,
        close: { code: 'ADB_UNAVAILABLE', message: /closed the connection/ },
        'wrong-length': { code: 'ADB_UNAVAILABLE', message: /closed the connection/ },
        'wrong-size': undefined,
      },
    },
    { name: 'probe', ...probe },
    {
      ...probe,
      name: 'stat',
      at: (serial) => statAnswer(serial) + 10,
      lengthAt: (serial) => statAnswer(serial) + 1,
      instead: {
        refuse: { on: 'stat', kind: 'refuse' },
        'wrong-size': { on: 'stat', kind: 'wrong-size' },
      },
      expected: { ...probe.expected, refuse: done, 'wrong-size': short },
    },
    {
      ...inShell('ro.product.model', 'asking for its properties'),
      name: 'properties',
      aside: true,
      expected: { ...inShell('', 'asking for its properties').expected, 'wrong-size': done },
    },
    {
      name: 'config',
      aside: true,
      where: { on: 'recv', match: 'config.gz' },
      at: 10,
      lengthAt: 4,
      expected: {
        ...probe.expected,
        refuse: done,
        hang: hungWhile('reading /proc/config.gz'),
        close: lostWhile('reading /proc/config.gz'),
        'wrong-length': hung,
        'wrong-size': done,
      },
    },
    {
      ...inShell('md5sum', 'asking for the md5 of'),
      name: 'md5',
      at: 10,
      lengthAt: 1,
      expected: {
        ...inShell('', 'asking for the md5 of').expected,
        'wrong-length': lostWhile('asking for the md5 of'),
        'wrong-size': done,
      },
    },
    {
      ...inFile('open', 0),
      at: 0,
      instead: {},
      expected: {
        ...inFile('', 0).expected,
        refuse: { code: 'REMOTE_DENIED', message: /open failed: Permission denied at 0 B of/ },
      },
    },
    inFile('first', 100),
    inFile('middle', Math.floor(bytes / 2)),
    inFile('last', bytes - 1, { 'wrong-length': hung }),
    {
      ...root,
      name: 'root',
      module: true,
      where: { on: 'root' },
      at: 0,
      lengthAt: 0,
      // Where no word comes of adb root, adbd may be restarting.
      expected: {
        ...root.expected,
        hang: hungWhile('asking for adb root'),
        refuse: done,
        close: hung,
        garbage: done,
        'wrong-length': done,
        'wrong-size': undefined,
      },
    },
    {
      ...inShell(`su 0 sh -c 'id -u'`, 'asking su for root'),
      name: 'su-aosp',
      module: true,
      at: 0,
      lengthAt: 1,
      expected: { ...root.expected, 'wrong-size': done },
    },
    {
      ...inShell(`su -c 'id -u'`, 'asking su for root'),
      name: 'su-magisk',
      module: true,
      at: 3,
      lengthAt: 1,
      expected: { ...root.expected, 'wrong-length': lostWhile('asking su for root'), 'wrong-size': done },
    },
    { ...inShell('uname -r', 'asking which kernel runs', 1), name: 'probe-as-root', module: true },
    {
      ...inShell('insmod', 'loading /system_dlkm/lib/modules/kheaders.ko'),
      name: 'load',
      module: true,
      expected: {
        ...inShell('', 'loading /system_dlkm/lib/modules/kheaders.ko').expected,
        'wrong-length': done,
        'wrong-size': { code: 'REMOTE_COMMAND_FAILED', message: /broke off while loading/ },
      },
    },
    { ...inShell('uname -r', 'asking which kernel runs', 2), name: 'probe-loaded', module: true },
    inStream('stream-open', 0),
    inStream('stream-middle', Math.floor(bytes / 2)),
    inStream('stream-last', bytes - 1),
    {
      ...inShell('rmmod', 'unloading its module'),
      name: 'unload',
      module: true,
      expected: {
        refuse: leftLoaded,
        hang: leftLoaded,
        close: leftLoaded,
        dribble: done,
        garbage: leftLoaded,
        'wrong-length': done,
        'wrong-size': leftLoaded,
      },
    },
  ];
}

function faultOf(
  { where, at = 0, lengthAt = 0, instead = {} }: Step,
  kind: Kind,
  serial: string,
): FaultDescription {
  const other = instead[kind];
  if (other !== undefined) return other;
  const byte = kind === 'wrong-length' ? lengthAt : at;
  return { ...where, kind: kind, at: typeof byte === 'number' ? byte : byte(serial) };
}

/** Each with a kernel of its own, so that none waits for another. */
function phone(step: Step, kind: Kind): Promise<DeviceDescription> {
  const serial = `${step.name}-${kind}`;
  const module = step.module ? ({ headers: { kind: 'module' }, su: 'magisk' } as const) : {};
  const faults = [faultOf(step, kind, serial)];
  return withLargeArchive(pixel({ serial, kernel: { release: `6.1.1-${serial}` }, ...module, faults }));
}

function expectOutcome(outcome: DeviceOutcome<PulledHeaders>, expected: Expected, stderr: string): void {
  expect(outcome.milliseconds).toBeLessThan((TIMEOUT + GRACE) * 1000);
  if ('code' in expected) {
    const { serial } = outcome;
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { serial, code: expected.code, exitCode: EXIT_CODES[expected.code] },
    });
    expect(outcome.status === 'failed' && outcome.error.message).toMatch(expected.message);
    return;
  }
  expect(outcome).toMatchObject({ serial: outcome.serial, status: 'ok' });
  const warnings = stderr.split('\n').filter((line) => line.startsWith(`warning: ${outcome.serial}: `));
  expect(warnings).toEqual(expected.warning === undefined ? [] : [expect.stringMatching(expected.warning)]);
}

/**
 * Every step of a pull × everything that can go wrong there: what kh says of
 * it, that it comes to an end, what it leaves, and that the next pull is good.
 */
describe.each(KINDS)('each step of a pull meets %s', (kind) => {
  it('says what it was, in time; keeps all or nothing; and pulls when the fault is gone', async () => {
    const bytes = (await largeArchive({ release: '6.1.1' })).length;
    const cells = allSteps(bytes).flatMap((step) => {
      const expected = step.expected[kind];
      return expected === undefined ? [] : [{ step, expected, serial: `${step.name}-${kind}` }];
    });
    const healthy = pixel({ serial: 'HEALTHY' });
    const lab = await startLab({
      devices: [healthy, ...(await Promise.all(cells.map(({ step }) => phone(step, kind))))],
    });
    const { home } = await pull(lab, ['-s', 'HEALTHY']);
    const before = await folderListing(join(home, 'v1', 'workspaces', 'HEALTHY'));

    const run = await pull(
      lab,
      ['--all', '--exclude', 'HEALTHY', '--timeout', `${TIMEOUT}s`, '--jobs', '30'],
      {
        home,
        timeoutMs: 60_000,
      },
    );
    const outcomes = outcomesOf(run);
    expect(outcomes.map(({ serial }) => serial)).toEqual(cells.map(({ serial }) => serial));
    for (const [n, { expected }] of cells.entries()) expectOutcome(outcomes[n]!, expected, run.stderr);
    const good = cells.filter(({ expected }) => 'done' in expected);
    expect(run).toExitWith(good.length === cells.length ? 0 : 10);

    const releases = (serials: string[]) => serials.map((serial) => `${serial}/6.1.1-${serial}`);
    expect(await storeWorkspaces(home)).toEqual(
      [`HEALTHY/${healthy.kernel?.release}`, ...releases(good.map(({ serial }) => serial))].sort(),
    );
    const aside = cells.filter(({ step, expected }) => step.aside && !('done' in expected));
    const trees = await storeTrees(home);
    expect(trees.length).toBeGreaterThanOrEqual(good.length + 1);
    expect(trees.length).toBeLessThanOrEqual(good.length + aside.length + 1);
    expect(await stagingLeftovers(home)).toEqual([]);
    expect(await folderListing(join(home, 'v1', 'workspaces', 'HEALTHY'))).toEqual(before);
    expect(await kh(['workspace', 'verify'], { home })).toExitWith(0);

    for (const device of lab.devices) device.clearFaults();
    expect(await pull(lab, ['--all', '--jobs', '30'], { home, timeoutMs: 60_000 })).toExitWith(0);
    expect(await storeTrees(home)).toHaveLength(cells.length + 1);
    expect(lab.devices.flatMap((device) => device.modules())).toEqual([]);
  });
});
