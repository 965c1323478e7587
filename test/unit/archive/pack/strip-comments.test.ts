import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { stripComments } from '../../../../src/archive/pack/strip-comments';

const strip = (text: string) => stripComments(Buffer.from(text, 'latin1')).toString('latin1');

/** The rule as a regular expression, one step of the text at a time. */
const byRule = (text: string) => text.replace(/\/\*(?:(?!SPDX)[^])*?\*\//g, '');

const PIECES = ['/*', '*/', '/', '*', 'SPDX', 'SP', 'DX', '//', '\n', '"', '\r', ' ', 'x', '\u00e9', '\0'];
const headers = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 3, unit: 'binary-ascii' })), {
    maxLength: 60,
  })
  .map((pieces) => pieces.join(''));

describe('stripping comments', () => {
  it.each([
    ['a comment over lines', 'a\n/* b\n c */\nd', 'a\n\nd'],
    ['one inside a string, too', '"a /* b */ c"', '"a  c"'],
    ['no comment with SPDX', '/* SPDX */ /* x */', '/* SPDX */ '],
    ['one that opens behind the SPDX of another', '/* SPDX /* in */ out', '/* SPDX  out'],
    ['no comment that opens before an SPDX', '/* a /* b SPDX */', '/* a /* b SPDX */'],
    ['what // starts in, as it is no comment here', '// a /* b\n c */ d', '// a  d'],
    ['no slash, star, slash: that does not close', '/*/ a', '/*/ a'],
    ['an empty one', 'a/**/b', 'ab'],
    ['none that is not closed', 'a /* b', 'a /* b'],
  ])('takes %s', (_, text, stripped) => {
    expect(strip(text)).toBe(stripped);
    expect(byRule(text)).toBe(stripped);
  });

  it('gives back the same bytes where there is nothing to take', () => {
    const text = Buffer.from('#define X 1 // y\n');
    expect(stripComments(text)).toBe(text);
  });

  it('does on any text as the rule says', () => {
    fc.assert(
      fc.property(headers, (text) => expect(strip(text)).toBe(byRule(text))),
      { numRuns: 2000 },
    );
  });

  it('does as perl does over whole files', () => {
    const perl = spawnSync('perl', ['-e', '1']);
    if (perl.error !== undefined) return; // The rule above stands for it.
    const texts = fc.sample(headers, { numRuns: 300, seed: 6 });
    // One run of perl for all: records end in a byte that the texts do not hold.
    const input = Buffer.from(texts.map((text) => text.replaceAll('\x01', '')).join('\x01'), 'latin1');
    const script = 'BEGIN { $/ = "\\x01" } chomp; s{/\\*(?:(?!SPDX).)*?\\*/}{}gs; print "$_\\x01"';
    const { stdout } = spawnSync('perl', ['-ne', script], { input });
    const expected = stdout.toString('latin1').split('\x01').slice(0, -1);
    const found = input.toString('latin1').split('\x01').map(strip);
    expect(found.length).toBe(texts.length);
    expect(found).toEqual(expected);
  });

  it('takes no longer where every comment opens many times and has an SPDX', () => {
    const many = '/* '.repeat(200_000);
    expect(strip(`${many} SPDX */ /* x */`) === `${many} SPDX */ `).toBe(true);
  });
});
