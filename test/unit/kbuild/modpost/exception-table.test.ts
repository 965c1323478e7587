import { checkExceptionTable } from '../../../../src/kbuild/modpost/exception-table';
import { compilers, moduleOf } from './support/compile';

describe.each(compilers())('the exception table, in an object of $name', (compiler) => {
  const told = (fixup: string) =>
    checkExceptionTable(
      moduleOf(
        `int spot __attribute__((section(".data.spot"))) = 1; void work(void) { }
        asm(".pushsection __ex_table,\\"a\\"\\n.balign 4\\n.long work - .\\n.long ${fixup} - .\\n.long 0\\n.popsection");`,
        { compiler },
      ),
    ).map(({ severity, text }) => `${severity}: ${text}`);

  it('may lead to code', () => {
    expect(told('work')).toEqual([]);
  });

  it('must not lead to data', () => {
    expect(told('spot')).toEqual([
      expect.stringMatching(/^error: an entry of __ex_table leads to spot in \.data\.spot, which is no code/),
    ]);
  });
});
