import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connectServer } from '../../src/adb/connect-server';
import { TIME_LIMITS } from '../../src/core/limits';
import { openBootPartition, type BootPartition } from '../../src/device/boot-partition';
import { Rights } from '../../src/device/rights';
import { bootGuest, describeOnRig, stopAdbServer, type Guest } from './support/rig';

afterAll(stopAdbServer);

const work = { signal: new AbortController().signal, emit: () => undefined, times: TIME_LIMITS };

async function partitionOf(guest: Guest, root: boolean): Promise<BootPartition> {
  const port = Number(guest.env['ANDROID_ADB_SERVER_PORT']);
  const server = await connectServer({ kind: 'tcp', host: '127.0.0.1', port }, work);
  const listed = (await server.listDevices(work)).find(({ serial }) => serial === guest.serial);
  const adb = await server.open(listed!, work);
  const ladder = { privilege: 'su', reopen: () => Promise.reject(new Error('not restarted')) } as const;
  return openBootPartition(new Rights({ adb, privilege: 'plain', root }, ladder, work), work);
}

describeOnRig.each([
  { kernel: 'arm64-6.1', user: 'root' },
  { kernel: 'arm64-6.12', user: 'shell' },
] as const)('the boot partition of $kernel, as $user', ({ kernel, user }) => {
  let guest: Guest;
  let partition: BootPartition;
  beforeAll(async () => {
    guest = await bootGuest({ kernel, user });
    partition = await partitionOf(guest, user === 'root');
  });
  afterAll(() => guest[Symbol.asyncDispose]());

  it('is that of the slot that runs, and holds what was flashed', async () => {
    const image = readFileSync(guest.bootImage);
    expect(partition).toMatchObject({ path: '/dev/block/by-name/boot_a', size: image.length });
    const hash = createHash('sha256');
    for await (const chunk of partition.stream(0, partition.size)) hash.update(chunk);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(image).digest('hex'));
  });

  it.each([
    [0, 4096],
    [4096, 1_000_000],
    [65_535, 2],
  ])('is read at %d, %d bytes, exactly', async (offset, length) => {
    const image = readFileSync(guest.bootImage);
    const read = await partition.read(offset, length);
    expect(read.equals(image.subarray(offset, offset + length))).toBe(true);
  });

  it('is read to its very end', async () => {
    const image = readFileSync(guest.bootImage);
    expect((await partition.read(image.length - 1000, 1000)).equals(image.subarray(-1000))).toBe(true);
  });
});
