import fc from 'fast-check';
import { KhError } from '../../../../src/core/errors';
import { formatSymvers, parseSymvers, type SymversEntry } from '../../../../src/kbuild/symvers/symvers-file';

const parse = (text: string) => parseSymvers(text, 'Module.symvers');

const printk: SymversEntry = {
  name: '_printk',
  crc: 0x92997ed8,
  module: 'vmlinux',
  gpl: false,
  namespace: '',
};

describe('parseSymvers', () => {
  it('reads five columns, with and without a namespace', () => {
    const text =
      '0x92997ed8\t_printk\tvmlinux\tEXPORT_SYMBOL\t\n' +
      '0x0000beef\tcrypto_cipher_encrypt_one\tcrypto/cipher\tEXPORT_SYMBOL_GPL\tCRYPTO_INTERNAL\n';
    expect(parse(text)).toEqual([
      printk,
      {
        name: 'crypto_cipher_encrypt_one',
        crc: 0xbeef,
        module: 'cipher',
        gpl: true,
        namespace: 'CRYPTO_INTERNAL',
      },
    ]);
  });

  it('reads four columns, and lines that end as on Windows or not at all', () => {
    expect(parse('0x92997ed8\t_printk\tvmlinux\tEXPORT_SYMBOL')).toEqual([printk]);
    expect(parse('0x92997ed8\t_printk\tvmlinux\tEXPORT_SYMBOL\r\n')).toEqual([printk]);
  });

  it('takes a CRC of zero for none', () => {
    expect(parse('0x00000000\t_printk\tvmlinux\tEXPORT_SYMBOL\t\n')).toEqual([{ ...printk, crc: undefined }]);
  });

  it('knows the restrictions that older kernels had', () => {
    const licences = ['EXPORT_UNUSED_SYMBOL', 'EXPORT_UNUSED_SYMBOL_GPL', 'EXPORT_SYMBOL_GPL_FUTURE'];
    const text = licences.map((licence, index) => `0x1\tsymbol${index}\tvmlinux\t${licence}\n`).join('');
    expect(parse(text).map(({ gpl }) => gpl)).toEqual([false, true, false]);
  });

  it('takes a line that is there twice once', () => {
    const line = '0x92997ed8\t_printk\tvmlinux\tEXPORT_SYMBOL\t\n';
    expect(parse(line + line)).toEqual([printk]);
  });

  it.each([
    ['an empty line', '', /it has 1 columns/],
    ['spaces between the columns', '0x1 a vmlinux EXPORT_SYMBOL', /it has 1 columns/],
    ['a sixth column', '0x1\ta\tvmlinux\tEXPORT_SYMBOL\t\t', /it has 6 columns/],
    ['no CRC', 'a\tvmlinux\tEXPORT_SYMBOL\t', /"a" is not a CRC/],
    ['a CRC of 40 bits', '0x1234567890\ta\tvmlinux\tEXPORT_SYMBOL\t', /"0x1234567890" is not a CRC/],
    ['a name with a space', '0x1\ta b\tvmlinux\tEXPORT_SYMBOL\t', /"a b" is not a symbol's name/],
    ['a folder for a module', '0x1\ta\tcrypto/\tEXPORT_SYMBOL\t', /"crypto\/" is not a module/],
    ['the namespace before the module', '0x1\ta\t\tvmlinux\tEXPORT_SYMBOL', /"" is not a module/],
    [
      'an unknown licence',
      '0x1\ta\tvmlinux\tEXPORT_SYMBOL_MIT\t',
      /"EXPORT_SYMBOL_MIT" is not EXPORT_SYMBOL/,
    ],
    ['a namespace with a space', '0x1\ta\tvmlinux\tEXPORT_SYMBOL\tA B', /"A B" is not a namespace/],
  ])('refuses %s, and names the line', (_, line, message) => {
    const text = `0x92997ed8\t_printk\tvmlinux\tEXPORT_SYMBOL\t\n${line}\n`;
    expect(() => parse(text)).toThrow(message);
    expect(() => parse(text)).toThrow(/^Module\.symvers, line 2: /);
  });

  it('refuses two exports of one name that differ', () => {
    const text = '0x1\ta\tvmlinux\tEXPORT_SYMBOL\t\n0x2\ta\tvmlinux\tEXPORT_SYMBOL\t\n';
    expect(() => parse(text)).toThrow('line 2: a is exported on line 1 too');
  });

  it('reads anything, or refuses it with its own error', () => {
    const cell = fc.oneof(fc.string(), fc.constantFrom('0x1', 'a', 'vmlinux', 'EXPORT_SYMBOL', ''));
    const lines = fc.array(fc.array(cell, { maxLength: 6 }).map((cells) => cells.join('\t')));
    fc.assert(
      fc.property(lines, (texts) => {
        try {
          expect(parse(texts.join('\n')).length).toBeLessThanOrEqual(texts.length);
        } catch (error) {
          expect(error).toBeInstanceOf(KhError);
          expect((error as KhError).code).toBe('BUILD_BAD_SYMVERS');
        }
      }),
    );
  });
});

describe('formatSymvers', () => {
  it('writes five columns, and the last tab before no namespace', () => {
    expect(formatSymvers([printk, { ...printk, crc: undefined, gpl: true, namespace: 'NS' }])).toBe(
      '0x92997ed8\t_printk\tvmlinux\tEXPORT_SYMBOL\t\n' +
        '0x00000000\t_printk\tvmlinux\tEXPORT_SYMBOL_GPL\tNS\n',
    );
  });

  it('writes what parseSymvers reads back', () => {
    const word = (pattern: RegExp) => fc.stringMatching(pattern, { maxLength: 20 });
    const entry = fc.record({
      name: word(/^[\w.$]+$/),
      crc: fc.option(fc.integer({ min: 1, max: 0xffffffff }), { nil: undefined }),
      module: word(/^[\w-]+$/),
      gpl: fc.boolean(),
      namespace: word(/^[\w:,*-]*$/),
    });
    const entries = fc.uniqueArray(entry, { selector: ({ name }) => name });
    fc.assert(fc.property(entries, (some) => expect(parse(formatSymvers(some))).toEqual(some)));
  });
});
