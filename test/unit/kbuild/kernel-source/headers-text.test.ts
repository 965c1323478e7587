import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { withoutComments, withTrueChecksum } from '../../../../src/kbuild/kernel-source/headers-text';

describe('withoutComments', () => {
  it.each([
    ['one line', 'a /* b */ c\n', 'a  c\n'],
    ['several lines', '/*\n * x\n */\n#define A\n', '\n#define A\n'],
    ['several comments', '/* a */x/* b */', 'x'],
    [
      'a licence, which stays',
      '/* SPDX-License-Identifier: GPL-2.0 */\n/* x */\n',
      '/* SPDX-License-Identifier: GPL-2.0 */\n\n',
    ],
    ['lines of //, which stay', '// a /b\nint x; // c\n', '// a /b\nint x; // c\n'],
    ['strings, which are not spared', '"/* a */"', '""'],
    ['a comment without end', 'a /* b', 'a /* b'],
    ['an opening that is no comment yet', 'a /*/ b', 'a /*/ b'],
  ])('as the archive has it: %s', (_, text, expected) => {
    expect(withoutComments(text)).toBe(expected);
  });

  it('is what the expression of the kernel gives, for any text', () => {
    const pieces = fc.array(fc.constantFrom('/*', '*/', '/', '*', 'SPDX', 'SP', '\n', ' ', 'a', '//', '"'));
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('');
        expect(withoutComments(text)).toBe(text.replace(/\/\*(?:(?!SPDX)[^])*?\*\//g, ''));
      }),
    );
  });
});

describe('withTrueChecksum', () => {
  const sha1 = (text: string) => createHash('sha1').update(text).digest('hex');
  const body = '#define A\n\nint a(void);\n';

  it('makes the last line the SHA1 of those above', () => {
    expect(withTrueChecksum(`${body}// ${'0'.repeat(40)}\n`)).toBe(`${body}// ${sha1(body)}\n`);
  });

  it.each([
    ['is true already', `${body}// ${sha1(body)}\n`],
    ['is none', body],
    ['is no last line', `// ${'0'.repeat(40)}\n${body}`],
    ['is of another length', `${body}// ${'0'.repeat(39)}\n`],
    ['is of an empty file', ''],
  ])('leaves a header alone whose checksum %s', (_, text) => {
    expect(withTrueChecksum(text)).toBeUndefined();
  });
});
