import fc from 'fast-check';
import { linePattern, type PatternOptions } from '../../../../src/archive/search/line-pattern';
import { searchText, type SearchLimits } from '../../../../src/archive/search/search-text';

const LIMITS: SearchLimits = { before: 0, after: 0, first: false };

function search(text: string, pattern: string, options: PatternOptions & Partial<SearchLimits> = {}) {
  const range = { start: 0, end: text.length };
  return searchText(text, range, linePattern(pattern, options), { ...LIMITS, ...options });
}

/** Numbers of the lines, those that match with a mark. */
const numbers = (...args: Parameters<typeof search>) =>
  search(...args).map(({ number, matches }) => `${number}${matches.length > 0 ? '!' : ''}`);

const TEXT = 'one\ntwo two\n\nthree\nfour\nfive\n';

describe('searchText', () => {
  it('gives each line that matches, with its number and every place', () => {
    expect(search(TEXT, 'two')).toEqual([
      {
        number: 2,
        text: 'two two',
        matches: [
          { start: 0, end: 3 },
          { start: 4, end: 7 },
        ],
      },
    ]);
  });

  it.each([
    ['anchors at each line', '^t', ['2!', '4!']],
    ['anchors at the end of each line', 'e$', ['1!', '4!', '6!']],
    ['empty lines, but none behind the last line feed', '^$', ['3!']],
    ['nothing across lines', 'e\\s+f', []],
    ['nothing across lines by a class', 'o[^z]*f', []],
    ['nothing across lines by any character', 'one[\\s\\S]*', ['1!']],
    ['lines by what does not follow in them', 'e(?!\\s)$', ['1!', '4!', '6!']],
  ])('finds %s', (_, pattern, expected) => {
    expect(numbers(TEXT, pattern)).toEqual(expected);
  });

  it('finds a last line without a line feed, also by its end', () => {
    expect(numbers('a\nb', 'b$')).toEqual(['2!']);
    expect(numbers('a\nb', '$')).toEqual(['1!', '2!']);
  });

  it('stays within its part of the text, and counts lines from there', () => {
    const part = { start: 4, end: 12 };
    expect(searchText(TEXT, part, linePattern('o'), LIMITS)).toMatchObject([{ number: 1, text: 'two two' }]);
    expect(searchText(TEXT, part, linePattern('three|one'), LIMITS)).toEqual([]);
  });

  it('shows lines before and after, each once', () => {
    expect(numbers(TEXT, 'two|three', { before: 1, after: 1 })).toEqual(['1', '2!', '3', '4!', '5']);
    expect(numbers(TEXT, 'five', { before: 2 })).toEqual(['4', '5', '6!']);
    expect(numbers(TEXT, 'one|five', { after: 1 })).toEqual(['1!', '2', '6!']);
  });

  it('stops at the first line where that is all that is asked', () => {
    expect(numbers(TEXT, 'o', { first: true })).toEqual(['1!']);
  });

  it('finds what a search of each line by itself finds', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\t', '\n', '_', '"'), maxLength: 60 });
    const atom = fc.constantFrom(
      'a',
      'b',
      '.',
      '\\s',
      '\\S',
      '\\w',
      '\\W',
      '\\D',
      '[^a]',
      '[\\s"]',
      '[^\\w]',
      '\\b',
      '\\B',
      '^',
      '$',
    );
    const quantified = fc
      .tuple(atom, fc.constantFrom('', '', '*', '+', '?', '{2}'))
      .map(([one, many]) => (/^(\^|\$|\\[bB])$/.test(one) ? one : one + many));
    const sequence = fc.array(quantified, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
    const looking = fc
      .tuple(fc.constantFrom('(?:', '(?=', '(?!', '(?<=', '(?<!'), sequence)
      .map(([open, inner]) => `${open}${inner})`);
    const pattern = fc.oneof(
      sequence,
      fc.tuple(sequence, looking).map((both) => both.join('')),
      fc.tuple(looking, sequence).map((both) => both.join('')),
    );
    fc.assert(
      fc.property(text, pattern, fc.boolean(), (lines, source, ignoreCase) => {
        const byLine = lines.replace(/\n$/, '').split('\n');
        const alone = new RegExp(source, ignoreCase ? 'im' : 'm');
        const expected =
          lines === '' ? [] : byLine.flatMap((line, index) => (alone.test(line) ? [index + 1] : []));
        expect(search(lines, source, { ignoreCase }).map(({ number }) => number)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('linePattern', () => {
  it('takes a pattern as it is where it is fixed', () => {
    const text = fc.string({ maxLength: 20 }).filter((one) => !/[\n\r\u2028\u2029]/.test(one));
    fc.assert(
      fc.property(text, text, text, (before, fixed, after) => {
        const line = before + fixed + after;
        const [found] = search(`${line}\n`, fixed, { fixed: true });
        expect(found?.matches[0]).toEqual({
          start: line.indexOf(fixed),
          end: line.indexOf(fixed) + fixed.length,
        });
      }),
    );
  });

  it('finds words only where nothing stands beside them', () => {
    const words = { word: true };
    expect(numbers('mm_struct\nmm\n(mm)\nXmm\nmm1\n', 'mm', words)).toEqual(['2!', '3!']);
    expect(numbers('a b\nab\n', 'a|b', words)).toEqual(['1!']);
  });

  it.each(['(', '[a', 'a**', 'two\\nlines', 'two\nlines'])('refuses %p, and says -F', (pattern) => {
    expect(() => linePattern(pattern)).toThrow(
      expect.objectContaining({ code: 'USAGE', hint: expect.stringContaining('-F') as string }) as Error,
    );
  });
});
