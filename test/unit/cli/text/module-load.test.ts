import { moduleReport, type SaidLine } from '../../../../src/cli/text/module-load';
import { palette } from '../../../../src/ui/colour';

const plain = palette(false);
const ok = (serial: string, log: SaidLine[]) => ({
  serial,
  name: serial,
  status: 'ok' as const,
  milliseconds: 1,
  result: { module: 'hello', log },
});

describe('what kh load-module prints', () => {
  it('shows each line as dmesg does, with its explanation below', () => {
    const log = [
      {
        seconds: 12.5,
        text: "hello: unknown parameter 'x' ignored",
        meaning: 'the module has no parameter x',
        whatToDo: 'Look.',
      },
      { text: 'hello: hi\u001b[31m' },
    ];
    expect(moduleReport([ok('A', log)], 'loaded', plain)).toBe(
      [
        'A: hello loaded',
        "  [   12.500000] hello: unknown parameter 'x' ignored",
        '      the module has no parameter x',
        '      Look.',
        '  hello: hi\\x1b[31m',
        '',
      ].join('\n'),
    );
  });

  it('says that the kernel said nothing, and leaves out what failed', () => {
    const error = { code: 'MODULE_REFUSED' as const, exitCode: 8, message: 'B: no' };
    expect(
      moduleReport(
        [ok('A', []), { serial: 'B', name: 'B', status: 'failed', milliseconds: 1, error }],
        'unloaded',
        plain,
      ),
    ).toBe('A: hello unloaded, and the kernel said nothing\n');
  });
});
