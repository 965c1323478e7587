import { decodeXz } from '../../../../src/archive/xz/decode-xz';
import { encodeXz, encodeXzStream } from '../../../../src/archive/xz/encode-xz';
import { inChunks, limits, never, rejection } from '../support/scratch';

const one = { signal: never, parallel: false };

/** More than any buffer on the way holds, and packed to more than one piece. */
const TEXT = Buffer.from(
  Array.from({ length: 300_000 }, (_, n) => `${(n * 2_654_435_761) % 65_521}\n`).join(''),
);

const DECODING = { signal: never, memoryLimit: limits.decoderMemoryBytes, outputLimit: limits.unpackedBytes };

async function all(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of chunks) parts.push(part);
  return Buffer.concat(parts);
}

function* pieces(): Generator<Buffer> {
  for (let at = 0; at < TEXT.length; at += 100_000) yield TEXT.subarray(at, at + 100_000);
}

describe('encoding xz', () => {
  it.each([
    ['bytes', () => encodeXz(TEXT)],
    ['a stream', () => all(encodeXzStream(pieces(), one))],
    ['a stream in blocks', () => all(encodeXzStream(pieces(), { signal: never, parallel: true }))],
  ])('gives of %s what decodes to it', async (_, encode) => {
    const encoded = await encode();
    expect(encoded.subarray(0, 8)).toEqual(Buffer.from('fd377a585a000004', 'hex'));
    expect((await all(decodeXz(inChunks(encoded), DECODING))).equals(TEXT)).toBe(true);
  });

  it('takes no notice of options for xz in the environment', async () => {
    process.env['XZ_OPT'] = '-0 --check=sha256';
    try {
      const encoded = await all(encodeXzStream(pieces(), one));
      expect(encoded[7]).toBe(4);
    } finally {
      delete process.env['XZ_OPT'];
    }
  });

  it('ends with the error of its input', async () => {
    const input = (function* () {
      yield* pieces();
      throw new Error('unreadable');
    })();
    expect(await rejection(all(encodeXzStream(input, one)))).toMatchObject({ message: 'unreadable' });
  });

  it('ends when it is told to', async () => {
    const controller = new AbortController();
    const input = (function* () {
      yield* pieces();
      controller.abort();
      yield* pieces();
    })();
    expect(
      await rejection(all(encodeXzStream(input, { signal: controller.signal, parallel: false }))),
    ).toMatchObject({
      name: 'AbortError',
    });
  });
});
