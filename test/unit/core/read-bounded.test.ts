import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readBounded } from '../../../src/core/read-bounded';

const folder = mkdtempSync(join(tmpdir(), 'kh-bounded-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a file that is read up to a bound', () => {
  it.each([0, 1, 65_536, 200_000])('of %d bytes comes whole within it', async (bytes) => {
    const content = Buffer.alloc(bytes, 'abc');
    writeFileSync(join(folder, 'file'), content);
    expect((await readBounded(join(folder, 'file'), 200_000)).equals(content)).toBe(true);
  });

  it('shows by one byte more that it is longer, be it one that never ends', async () => {
    writeFileSync(join(folder, 'file'), Buffer.alloc(300));
    expect(await readBounded(join(folder, 'file'), 200)).toHaveLength(201);
    expect(await readBounded('/dev/zero', 100_000)).toHaveLength(100_001);
  });

  it('fails as node:fs does', async () => {
    await expect(readBounded(join(folder, 'nowhere'), 1)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(readBounded(folder, 1)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
