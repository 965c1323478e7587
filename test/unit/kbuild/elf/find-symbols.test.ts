import fc from 'fast-check';
import { bufferSource } from '../../../../src/core/byte-source';
import { findSymbols } from '../../../../src/kbuild/elf/find-symbols';
import { buildElf } from './build-elf';

const NAMES = ['blob', 'blob_end'];
const elf = buildElf({
  sections: [{ name: '.text' }, { name: '.rodata', data: Buffer.from('....the blob....') }],
  symbols: [
    { name: 'not_blob', section: '.text', value: 3, bind: 1 },
    { name: 'blob', section: '.rodata', value: 4, bind: 1 },
    { name: 'blob_end', section: '.rodata', value: 12, bind: 1 },
  ],
});

describe('findSymbols', () => {
  it('finds where in the file the symbols of a module lie', async () => {
    const places = await findSymbols(bufferSource(elf), NAMES);
    expect(places.map(({ name }) => name)).toEqual(NAMES);
    const [start, end] = places.map(({ offset }) => offset);
    expect(elf.toString('latin1', start, end)).toBe('the blob');
  });

  it('counts from the address of the section in a linked file', async () => {
    const linked = Buffer.from(elf);
    linked.writeUInt16LE(2, 16); // an executable
    const table = Number(linked.readBigUInt64LE(40));
    linked.writeBigUInt64LE(2n, table + 2 * 64 + 16);
    const [blob] = await findSymbols(bufferSource(linked), NAMES);
    const [before] = await findSymbols(bufferSource(elf), NAMES);
    expect(blob?.offset).toBe((before?.offset ?? 0) - 2);
  });

  it('finds nothing in a file that is cut off, or is none', async () => {
    for (const bytes of [elf.subarray(0, -1), elf.subarray(0, 70), elf.subarray(0, 20), Buffer.alloc(100)])
      expect(await findSymbols(bufferSource(bytes), NAMES)).toEqual([]);
  });

  it('keeps within the file, whatever its bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(elf.length - 1),
        fc.uint8Array({ minLength: 1, maxLength: 16 }),
        async (at, noise) => {
          const bytes = Buffer.from(elf);
          Buffer.from(noise).copy(bytes, at);
          const source = {
            size: bytes.length,
            read: (offset: number, length: number) => {
              expect(offset + length).toBeLessThanOrEqual(bytes.length);
              return Promise.resolve(bytes.subarray(offset, offset + length));
            },
          };
          expect((await findSymbols(source, NAMES)).length).toBeLessThanOrEqual(3);
        },
      ),
      { numRuns: 300 },
    );
  });
});
