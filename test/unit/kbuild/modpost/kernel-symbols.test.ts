import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readKernelSymbols } from '../../../../src/kbuild/modpost/kernel-symbols';
import { tempFolder } from '../../../support/temp-folder';

describe('readKernelSymbols', () => {
  it('reads /proc/kallsyms and System.map, and passes over other lines', async () => {
    const path = join(await tempFolder(), 'kallsyms');
    writeFileSync(path, 'ffffffc008000000 T _text\n0000000000000000 t helper\t[foo]\n\nnonsense\n');
    expect([...readKernelSymbols(path)]).toEqual([
      ['_text', 'vmlinux'],
      ['helper', 'foo'],
    ]);
  });

  it('knows nothing without the file', async () => {
    expect(readKernelSymbols(join(await tempFolder(), 'none')).size).toBe(0);
  });
});
