import fc from 'fast-check';
import { shellQuote } from '../../../../src/device/shell-quote';
import { shellWords } from '../../../../src/kbuild/compile-commands/shell-words';

describe('shellWords', () => {
  it.each([
    ['several blanks', '  a  b\tc ', ['a', 'b', 'c']],
    ['a text for the preprocessor', `-DNAME='"hello"' x`, ['-DNAME="hello"', 'x']],
    ['both kinds of quotes in one word', `a'b c'"d e"f`, ['ab cd ef']],
    ['backslashes, which single quotes keep', String.raw`a\ b "c\"d\e" 'f\g'`, ['a b', 'c"d\\e', 'f\\g']],
    ['an empty word', `a '' b`, ['a', '', 'b']],
    ['a quote that is not closed', `a 'b`, ['a', `'b`]],
    ['nothing', '', []],
  ])('reads %s', (_, line, words) => {
    expect(shellWords(line)).toEqual(words);
  });

  it('gives back whatever words were quoted', () => {
    const word = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(shellWords(words.map(shellQuote).join(' '))).toEqual(words);
      }),
    );
  });

  it('bears any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(shellWords(text).every((word) => typeof word === 'string')).toBe(true);
      }),
    );
  });
});
