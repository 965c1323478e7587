import { palette } from '../../../src/ui/colour';
import { renderFacts, renderTable, type Column } from '../../../src/ui/table';

interface Phone {
  serial: string;
  model?: string;
}

const columns: Column<Phone>[] = [
  { title: 'SERIAL', cell: ({ serial }) => serial },
  { title: 'MODEL', cell: ({ model }) => model, paint: () => (text) => `<${text}>` },
];
const plain = palette(false);

describe('a table', () => {
  it('has columns as wide as their widest cell and no blanks at line ends', () => {
    const rows = [
      { serial: 'A', model: 'Pixel 8' },
      { serial: '0123456789ABCDEF', model: 'X' },
    ];
    expect(renderTable(rows, columns, plain)).toBe(
      ['SERIAL            MODEL', 'A                 <Pixel 8>', '0123456789ABCDEF  <X>', ''].join('\n'),
    );
  });

  it('is nothing at all without rows, so that a script counts no lines', () => {
    expect(renderTable([], columns, plain)).toBe('');
  });

  it('shows a dash where a device told nothing', () => {
    expect(renderTable([{ serial: 'A' }], columns, plain)).toContain('A       <->\n');
  });

  it('keeps a column straight under names that take two columns a character', () => {
    const rows = [
      { serial: '紅米', model: 'a' },
      { serial: 'four', model: 'b' },
    ];
    const [, wide, narrow] = renderTable(rows, columns, plain).split('\n');
    expect(wide).toBe('紅米    <a>');
    expect(narrow).toBe('four    <b>');
  });

  it('counts no columns for colours', () => {
    const painted = [{ ...columns[0]!, paint: () => palette(true).green }, columns[1]!];
    const [, line] = renderTable([{ serial: 'A', model: 'x' }], painted, plain).split('\n');
    expect(line).toBe('\u001b[32mA\u001b[39m       <x>');
  });

  it('lets no device write escape sequences or further lines into the terminal', () => {
    const text = renderTable([{ serial: 'A', model: '\u001b]0;owned\u0007\nB' }], columns, plain);
    expect(text).toBe('SERIAL  MODEL\nA       <\\x1b]0;owned\\x07\\x0aB>\n');
  });
});

describe('a list of facts', () => {
  it('aligns the values, and leaves out what is not known', () => {
    const text = renderFacts(
      [
        ['kernel', '6.1'],
        ['android', undefined],
        ['md5', 'abc'],
      ],
      plain,
    );
    expect(text).toBe('kernel  6.1\nmd5     abc\n');
  });
});
