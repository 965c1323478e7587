import { join } from 'node:path';
import type { ErrorCode } from '../../src/core/errors';
import type { FaultDescription } from '../../src/simulator/faults';
import type { DeviceDescription } from '../../src/simulator/lab/lab-description';
import type { Simulator } from '../../src/simulator/simulator';
import { kh, type KhRun } from '../support/kh';
import { fault, hangAt, largeArchive, pixel, startLab, withLargeArchive } from '../support/lab';
import { errorsOf, pull, resultsOf } from '../support/pull';
import { folderListing, stagingLeftovers, storeArchives, storeTrees } from '../support/store-contents';

/** Bytes into the archive, which has some 400 KB. */
const MIDDLE = 200_000;

/** Where a transfer breaks: before its first byte, in the middle, and with all bytes there but the end of it. */
const PLACES: [place: string, at: (bytes: number) => number][] = [
  ['first', () => 0],
  ['middle', () => MIDDLE],
  ['last', (bytes) => bytes - 1],
];

type Failure = [name: string, fault: FaultDescription, code: ErrorCode, message: RegExp];

const ON_THE_WAY: Failure[] = [
  ['connect-refused', fault('refuse', 'connect', 0), 'DEVICE_OFFLINE', /is offline/],
  ['connect-closed', fault('close', 'connect', 0), 'DEVICE_LOST', /lost while asking which kernel runs/],
  ['connect-garbage', fault('garbage', 'connect', 0), 'ADB_PROTOCOL', /not adb's protocol/],
  ['connect-gone', fault('gone', 'connect', 0), 'DEVICE_LOST', /the device is gone/],
  ['connect-unauthorized', fault('unauthorized', 'connect', 0), 'DEVICE_UNAUTHORIZED', /not authorized/],
  ['features-refused', fault('refuse', 'features', 0), 'DEVICE_OFFLINE', /is offline/],
  ['features-closed', fault('close', 'features', 0), 'ADB_UNAVAILABLE', /closed the connection/],
  ['features-garbage', fault('garbage', 'features', 0), 'ADB_PROTOCOL', /not adb's protocol/],
  ['shell-refused', fault('refuse', 'shell', 0), 'ADB_PROTOCOL', /adb refused "shell,v2/],
  ['shell-closed', fault('close', 'shell', 300), 'DEVICE_LOST', /lost while asking which kernel runs/],
  ['shell-garbage', fault('garbage', 'shell', 300), 'ADB_PROTOCOL', /not adb's protocol/],
  ['shell-cut', fault('wrong-size', 'shell', 3), 'REMOTE_COMMAND_FAILED', /did not say which kernel runs/],
];

const ABOUT_THE_ARCHIVE: Failure[] = [
  ['recv-refused', fault('refuse', 'recv', 0), 'REMOTE_DENIED', /Permission denied/],
  ['recv-fails', fault('fail', 'recv', MIDDLE), 'REMOTE_IO', /I\/O error at 19\d KB of/],
  ['stat-wrong', fault('wrong-size', 'stat', 1), 'VERIFY_SIZE', /bytes on the device, but \d+ arrived/],
  ['md5-wrong', fault('wrong-md5', 'md5', 0), 'VERIFY_MD5', /md5sum of .* is \w{32}, but .* has \w{32}/],
];

function inTheTransfer(bytes: number): Failure[] {
  return PLACES.flatMap(([place, at]): Failure[] => {
    const recv = (kind: FaultDescription['kind']) => fault(kind, 'recv', at(bytes));
    return [
      [`recv-closed-${place}`, recv('close'), 'DEVICE_LOST', /lost while pulling .* at \d+ K?B of/],
      [`recv-gone-${place}`, recv('gone'), 'DEVICE_LOST', /lost while pulling/],
      [`recv-garbage-${place}`, recv('garbage'), 'ADB_PROTOCOL', /not adb's protocol/],
      [`recv-cut-${place}`, recv('wrong-size'), 'VERIFY_SIZE', /bytes on the device, but \d+ arrived/],
      [`recv-corrupt-${place}`, recv('corrupt'), 'VERIFY_MD5', /is \w{32}, but what arrived has \w{32}/],
    ];
  });
}

/** A phone with a fault, and with a kernel of its own, so that none waits for another. */
function faulty(serial: string, what: FaultDescription): Promise<DeviceDescription> {
  const match = what.on === 'recv' ? { match: 'kheaders' } : {};
  const kernel = { release: `6.1.1-${serial}` };
  return withLargeArchive(pixel({ serial, kernel, faults: [{ ...what, ...match }] }));
}

async function labOf(faults: [serial: string, what: FaultDescription, ...unknown[]][]): Promise<Simulator> {
  return startLab({ devices: await Promise.all(faults.map(([serial, what]) => faulty(serial, what))) });
}

async function expectEmptyStore({ home }: KhRun): Promise<void> {
  expect(await storeTrees(home)).toEqual([]);
  expect(await storeArchives(home)).toEqual([]);
  expect(await stagingLeftovers(home)).toEqual([]);
}

describe('kh pull from devices on which something goes wrong', () => {
  it.each([
    ['on the way to the device', () => ON_THE_WAY],
    ['about the archive', () => ABOUT_THE_ARCHIVE],
    ['in the transfer', async () => inTheTransfer((await largeArchive()).length)],
  ])('says what it was %s, and keeps nothing', async (_, failures) => {
    const expected = await failures();
    const lab = await labOf(expected);
    const run = await pull(lab, ['--all']);
    const errors = errorsOf(run);
    expect(errors.map(({ serial, code }) => [serial, code])).toEqual(
      expected.map(([serial, , code]) => [serial, code]),
    );
    for (const [n, [, , , message]] of expected.entries()) expect(errors[n]?.message).toMatch(message);
    expect(run).toExitWith(4);
    await expectEmptyStore(run);
  });

  it('gives up on those that hang, wherever that is, after --timeout', async () => {
    const bytes = (await largeArchive()).length;
    const lab = await labOf([
      ['connect', hangAt('connect', 0)],
      ['features', hangAt('features', 0)],
      ['shell', hangAt('shell', 0)],
      ['shell-middle', hangAt('shell', 300)],
      ...PLACES.map(([place, at]): [string, FaultDescription] => [
        `recv-${place}`,
        hangAt('recv', at(bytes)),
      ]),
      ['md5', hangAt('md5', 0)],
    ]);
    const run = await pull(lab, ['--all', '--timeout', '4s']);
    expect(run).toExitWith(9);
    for (const error of errorsOf(run)) {
      expect(error.code).toBe('TIMEOUT');
      expect(error.message).toMatch(/timed out after 4 s/);
    }
    await expectEmptyStore(run);
  });

  it('gets through where bytes come one by one, and where the device cannot tell size or md5', async () => {
    const lab = await labOf([
      ['connect', fault('dribble', 'connect', 0)],
      ['features', fault('dribble', 'features', 0)],
      ['shell', fault('dribble', 'shell', 0)],
      ['recv', fault('dribble', 'recv', MIDDLE)],
      ['stat', fault('refuse', 'stat', 0)],
      ['md5', fault('fail', 'md5', 0)],
    ]);
    const run = await pull(lab, ['--all']);
    expect(run).toExitWith(0);
    const compared = resultsOf(run).map(({ verdict }) =>
      verdict.checks.filter((check) => check === 'size' || check === 'device-md5'),
    );
    const both = ['size', 'device-md5'];
    expect(compared).toEqual([both, both, both, both, ['device-md5'], ['size']]);
    expect(await storeTrees(run.home)).toHaveLength(6);
    expect(await stagingLeftovers(run.home)).toEqual([]);
    expect(await kh(['workspace', 'verify'], { home: run.home })).toExitWith(0);
  });

  it.each([
    ['close', 4],
    ['garbage', 4],
    ['corrupt', 6],
    ['wrong-size', 6],
  ] as const)(
    'leaves the workspace that is there as it was, where the next pull meets %s',
    async (kind, exitCode) => {
      const lab = await startLab({ devices: [await withLargeArchive(pixel())] });
      const { home } = await pull(lab);
      const before = await folderListing(join(home, 'v1', 'workspaces'));
      lab.device('PIXEL').addFault({ ...fault(kind, 'recv', MIDDLE), match: 'kheaders' });
      const run = await pull(lab, ['--force'], { home });
      expect(run).toExitWith(exitCode);
      expect(await folderListing(join(home, 'v1', 'workspaces'))).toEqual(before);
      expect(await stagingLeftovers(home)).toEqual([]);
      expect(await kh(['workspace', 'verify'], { home })).toExitWith(0);
    },
  );
});
