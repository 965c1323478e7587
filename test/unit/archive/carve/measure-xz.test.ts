import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { storedXz } from '../../../../fixtures/archives/stored-xz';
import { measureXz } from '../../../../src/archive/carve/measure-xz';
import { encodeXz } from '../../../../src/archive/xz/encode-xz';
import { bufferSource } from '../../../../src/core/byte-source';

const at = 13;
const embed = (bytes: Buffer) => Buffer.concat([Buffer.alloc(at, 0xfd), bytes, Buffer.alloc(5000, 0x5a)]);
const measure = (bytes: Buffer, offset = at) => measureXz(bufferSource(bytes), offset);
/** Does not pack well, as an archive does not. */
const text = Buffer.from(Array.from({ length: 200_000 }, (_, n) => Math.imul(n, n * 7 + 1_664_525) >>> 11));

describe('measureXz', () => {
  let stream: Buffer;
  beforeAll(async () => {
    stream = await encodeXz(text);
  });

  it('measures a stream in the middle of other bytes', async () => {
    expect(await measure(embed(stream))).toEqual({ state: 'whole', bytes: stream.length });
  });

  it.each([
    ['with pieces that are not packed', storedXz([text.subarray(0, 70_000)])],
    ['of several blocks', storedXz([Buffer.from('one'), text, Buffer.from('three')])],
  ])('measures a stream %s', async (_, bytes) => {
    expect(await measure(embed(bytes))).toEqual({ state: 'whole', bytes: bytes.length });
  });

  it.each(['none', 'crc32', 'sha256'])('measures a stream with the check %s', async (check) => {
    const bytes = spawnSync('xz', ['-c', '-T2', '--block-size=65536', `--check=${check}`], {
      input: text,
    }).stdout;
    expect(await measure(embed(bytes))).toEqual({ state: 'whole', bytes: bytes.length });
  });

  it('says of a stream that the source ends in how far it goes', async () => {
    for (const length of [stream.length - 1, stream.length - 11, 1000, 100]) {
      const measured = await measure(embed(stream).subarray(0, at + length));
      expect(measured?.state).toBe('truncated');
      expect(measured?.bytes).toBeLessThanOrEqual(length);
    }
  });

  it.each([
    ['in its index', -20],
    ['in its footer', -3],
  ])('sees damage %s', async (_, place) => {
    const bytes = Buffer.from(stream);
    bytes.writeUInt8(bytes.readUInt8(bytes.length + place) ^ 0x40, bytes.length + place);
    expect((await measure(embed(bytes)))?.state).toBe('damaged');
  });

  it('sees that zeros took the place of the rest', async () => {
    const bytes = Buffer.concat([stream.subarray(0, 900), Buffer.alloc(100_000)]);
    expect((await measure(embed(bytes)))?.state).toBe('damaged');
  });

  it('does not follow more blocks than any stream has', async () => {
    const block = storedXz([Buffer.from('x')]).subarray(12, 36); // behind the stream's header, and before its index
    const whole = storedXz(Array.from({ length: 1000 }, () => Buffer.from('x')));
    expect(whole.indexOf(block, 12)).toBe(12);
    expect(await measure(embed(whole))).toEqual({ state: 'whole', bytes: whole.length });
    const endless = Buffer.concat([whole.subarray(0, 12), ...Array.from({ length: 60_000 }, () => block)]);
    const measured = await measure(endless, 0);
    expect(measured?.state).toBe('damaged');
    expect(measured?.bytes).toBeLessThan(endless.length);
  });

  it('takes the magic alone for no stream', async () => {
    for (const length of [6, 8, 11]) expect(await measure(embed(stream.subarray(0, length)))).toBeUndefined();
    const other = Buffer.from(stream);
    other.writeUInt8(0x0a, 7); // a check that the CRC of the flags does not fit
    expect(await measure(embed(other))).toBeUndefined();
  });

  it('comes to an end within the source, whatever follows a good beginning', async () => {
    const start = stream.subarray(0, 24);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.nat(24), async (noise, kept) => {
        const bytes = embed(Buffer.concat([start.subarray(0, kept), noise]));
        const measured = await measure(bytes);
        if (measured !== undefined) expect(measured.bytes).toBeLessThanOrEqual(bytes.length - at);
      }),
    );
  });
});
