import { openBootPartition } from '../../../src/device/boot-partition';
import { Rights } from '../../../src/device/rights';
import { fakeDevice, recordedWork, type Answers } from './support/fake-device';

const PATH = '/dev/block/by-name/boot_a';
const SIZE = 300_000;
const CONTENT = Buffer.from(Array.from({ length: SIZE }, (_, index) => (index * 7 + (index >> 8)) & 255));

function open({
  answers = [],
  root = true,
  gives = CONTENT,
}: {
  answers?: Answers;
  root?: boolean;
  gives?: Buffer;
}) {
  const device = fakeDevice({
    answers: [
      ...answers,
      [/^slot=/, '_a'],
      [/^for boot/, PATH],
      [/^blockdev/, String(SIZE)],
      [/^su/, 'su: not found'],
    ],
  });
  device.stream = async function* (commandLine) {
    device.commandLines.push(commandLine);
    const [, skip, count] = /bs=65536 skip=(\d+) count=(\d+)/.exec(commandLine)!;
    const [, tail, head] = /tail -c \+(\d+) .* head -c (\d+)/.exec(commandLine)!;
    expect([Number(tail) - 1, Number(head)]).toEqual([65536 * Number(skip), 65536 * Number(count)]);
    const range = gives.subarray(65536 * Number(skip), 65536 * (Number(skip) + Number(count)));
    for (let at = 0; at < range.length; at += 1000)
      yield await Promise.resolve(range.subarray(at, at + 1000));
  };
  const work = recordedWork();
  const rights = new Rights(
    { adb: device, privilege: 'plain', root },
    { privilege: 'auto', reopen: (adb) => Promise.resolve(adb) },
    work,
  );
  return { device, partition: openBootPartition(rights, work) };
}

describe('openBootPartition', () => {
  it('finds the partition of the slot that runs, and its size', async () => {
    expect(await open({}).partition).toMatchObject({ path: PATH, size: SIZE });
  });

  it('counts sectors where there is no blockdev', async () => {
    const { partition } = open({
      answers: [
        [/^blockdev/, ''],
        [/^node=/, '1024'],
      ],
    });
    expect(await partition).toMatchObject({ size: 524_288 });
  });

  it.each([
    [0, 1],
    [0, 4096],
    [4096, 100_000],
    [65_536, 65_536],
    [65_535, 2],
    [123_457, 76_543],
    [299_999, 1],
    [0, SIZE],
    [17, 0],
  ])('reads at %d exactly %d bytes', async (offset, length) => {
    const partition = await open({}).partition;
    expect((await partition.read(offset, length)).equals(CONTENT.subarray(offset, offset + length))).toBe(
      true,
    );
  });

  it('gives a range piece by piece', async () => {
    const partition = await open({}).partition;
    const chunks: Buffer[] = [];
    for await (const chunk of partition.stream(70_001, 5000)) chunks.push(chunk);
    expect(chunks.length).toBeGreaterThan(1);
    expect(Buffer.concat(chunks).equals(CONTENT.subarray(70_001, 75_001))).toBe(true);
  });

  it('does not take less for all', async () => {
    const partition = await open({ gives: CONTENT.subarray(0, 200_000) }).partition;
    await expect(partition.read(150_000, 100_000)).rejects.toMatchObject({
      code: 'REMOTE_IO',
      message: `FAKE: ${PATH} gave 50000 of 100000 bytes`,
    });
  });

  it.each([
    [-1, 1],
    [SIZE, 1],
    [1, SIZE],
  ])('refuses to read at %d %d bytes, which are not in it', async (offset, length) => {
    const partition = await open({}).partition;
    await expect(partition.read(offset, length)).rejects.toThrow(RangeError);
  });

  it('says that root is needed, and why there is none', async () => {
    await expect(open({ root: false }).partition).rejects.toMatchObject({
      code: 'REMOTE_DENIED',
      message: expect.stringMatching(/takes root; adbd refuses.*; there is no su/) as string,
    });
  });

  it('says that there is no such partition', async () => {
    await expect(open({ answers: [[/^for boot/, '']] }).partition).rejects.toMatchObject({
      code: 'REMOTE_NOT_FOUND',
      message: 'FAKE: no boot_a partition is listed below /dev/block',
    });
  });

  it('does not guess a size', async () => {
    await expect(open({ answers: [[/^blockdev/, 'usage: blockdev']] }).partition).rejects.toMatchObject({
      code: 'REMOTE_IO',
    });
  });
});
