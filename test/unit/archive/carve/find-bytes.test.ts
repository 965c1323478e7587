import fc from 'fast-check';
import { findBytes, type Hit, type Needle } from '../../../../src/archive/carve/find-bytes';
import { bufferSource, type ByteSource } from '../../../../src/core/byte-source';

const { signal } = new AbortController();
const NEEDLES: Needle<'short' | 'long' | 'aligned'>[] = [
  { kind: 'short', bytes: Buffer.from('ab') },
  { kind: 'long', bytes: Buffer.from('needle') },
  { kind: 'aligned', bytes: Buffer.from('mark'), within: { offset: 8, align: 16 } },
];

async function find(source: ByteSource, next = () => 0): Promise<Hit<string>[]> {
  const hits: Hit<string>[] = [];
  for await (const hit of findBytes(source, NEEDLES, { signal, next })) hits.push(hit);
  return hits;
}

describe('findBytes', () => {
  it('finds what lies across the border of two windows', async () => {
    for (const shift of [1, 3, 5]) {
      const bytes = Buffer.alloc(3 << 20);
      bytes.write('needle', (1 << 20) - shift);
      expect(await find(bufferSource(bytes))).toContainEqual({ kind: 'long', offset: (1 << 20) - shift });
    }
  });

  it('tells where that begins which a mark is within, at its alignment only', async () => {
    const bytes = Buffer.alloc(100);
    bytes.write('mark', 32 + 8);
    bytes.write('mark', 51 + 8);
    bytes.write('mark', 4);
    expect(await find(bufferSource(bytes))).toEqual([{ kind: 'aligned', offset: 32 }]);
  });

  it('finds in any bytes what a plain search finds', async () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'needle', 'mark', '\0'.repeat(5)), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(words, async (texts) => {
        const bytes = Buffer.from(texts.join(''));
        const places = (needle: string) =>
          [...bytes.toString().matchAll(new RegExp(needle, 'g'))].map(({ index }) => index);
        const hits = await find(bufferSource(bytes));
        expect(hits.filter(({ kind }) => kind === 'short').map(({ offset }) => offset)).toEqual(places('ab'));
        expect(hits.filter(({ kind }) => kind === 'long').map(({ offset }) => offset)).toEqual(
          places('needle'),
        );
        expect(hits).toEqual([...hits].sort((one, other) => one.offset - other.offset));
      }),
    );
  });

  it('reads nothing before the place to go on at', async () => {
    const read: number[] = [];
    const bytes = Buffer.alloc(5 << 20, 'a');
    const source = bufferSource(bytes);
    const watched = {
      ...source,
      read: (at: number, length: number) => (read.push(at), source.read(at, length)),
    };
    await find(watched, () => 4 << 20);
    expect(read).toEqual([4 << 20]);
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    const bytes = Buffer.alloc(4 << 20);
    for (let window = 0; window < 4; window++) bytes.write('ab', window << 20);
    const hits = findBytes(bufferSource(bytes), NEEDLES, { signal: controller.signal, next: () => 0 });
    await hits.next();
    controller.abort(new Error('enough'));
    await expect(
      (async () => {
        for await (const hit of hits) expect(hit.kind).toBe('short');
      })(),
    ).rejects.toThrow('enough');
  });
});
