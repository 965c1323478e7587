import { join } from 'node:path';
import type { ErrorCode } from '../../src/core/errors';
import type { FaultDescription } from '../../src/simulator/faults';
import type { DeviceDescription } from '../../src/simulator/lab/lab-description';
import type { Simulator } from '../../src/simulator/simulator';
import { kh, type KhRun } from '../support/kh';
import { fault, largeArchive, pixel, startLab, withLargeArchive } from '../support/lab';
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
  ['connect-gone', fault('gone', 'connect', 0), 'DEVICE_LOST', /the device is gone/],
  ['connect-unauthorized', fault('unauthorized', 'connect', 0), 'DEVICE_UNAUTHORIZED', /not authorized/],
  ['md5-wrong', fault('wrong-md5', 'md5', 0), 'VERIFY_MD5', /md5sum of .* is \w{32}, but .* has \w{32}/],
];

function inTheTransfer(bytes: number): Failure[] {
  return PLACES.flatMap(([place, at]): Failure[] => {
    const recv = (kind: FaultDescription['kind']) => fault(kind, 'recv', at(bytes));
    return [
      [`recv-gone-${place}`, recv('gone'), 'DEVICE_LOST', /lost while pulling/],
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

/** What goes wrong at each step of a pull is in fault-matrix.test.ts. */
describe('kh pull from devices on which something goes wrong', () => {
  it.each([
    ['on the way to the device', () => ON_THE_WAY],
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

  it('says what it could compare where the device cannot tell size or md5', async () => {
    const lab = await labOf([
      ['both', fault('dribble', 'recv', MIDDLE)],
      ['stat', fault('refuse', 'stat', 0)],
      ['md5', fault('fail', 'md5', 0)],
    ]);
    const run = await pull(lab, ['--all']);
    expect(run).toExitWith(0);
    const compared = resultsOf(run).map(({ verdict }) =>
      verdict.checks.filter((check) => check === 'size' || check === 'device-md5'),
    );
    expect(compared).toEqual([['size', 'device-md5'], ['device-md5'], ['size']]);
    expect(await storeTrees(run.home)).toHaveLength(3);
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
