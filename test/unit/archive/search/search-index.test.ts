import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { indexEnd, openIndex, type IndexMember } from '../../../../src/archive/index/index-file';
import { searchIndex, type SearchQuery } from '../../../../src/archive/search/search-index';
import { scratch, type Scratch } from '../support/scratch';

/** An index with these files. */
function indexWith(place: Scratch, contents: Record<string, Buffer>) {
  let offset = 0;
  const members = Object.entries(contents).map(([path, { length: size }]): IndexMember => {
    const member: IndexMember = { kind: 'file', path, mode: 0o644, size, offset };
    offset += size + 1;
    return member;
  });
  const blob = Object.values(contents).flatMap((content) => [content, Buffer.from('\n')]);
  writeFileSync(place.path('index'), Buffer.concat([...blob, indexEnd({ release: '', members })]));
  return openIndex(place.path('index'))!;
}

function search(contents: Record<string, Buffer>, query: Partial<SearchQuery> & { pattern: string }) {
  using place = scratch();
  using index = indexWith(place, contents);
  const { files } = searchIndex(index, { globs: [], before: 0, after: 0, first: false, ...query });
  return files.map(({ path, lines }) => `${path}:${lines.map(({ number }) => number).join()}`);
}

describe('searchIndex', () => {
  it('finds the same in ASCII, in UTF-8 and beside what is neither', () => {
    const contents = {
      'a.h': Buffer.from('one\ntwo\n'),
      'b.h': Buffer.from('é two\n\ntwo'),
      'c.h': Buffer.from([0xff, 0x0a, 0x74, 0x77, 0x6f, 0x0a]),
      'd.h': Buffer.alloc(0),
    };
    expect(search(contents, { pattern: 'two' })).toEqual(['a.h:2', 'b.h:1,3', 'c.h:2']);
    expect(search(contents, { pattern: '^t.o$' })).toEqual(['a.h:2', 'b.h:3', 'c.h:2']);
    expect(search(contents, { pattern: 'é' })).toEqual(['b.h:1']);
    expect(search(contents, { pattern: 'TWO', ignoreCase: true, globs: ['!b.h'] })).toEqual([
      'a.h:2',
      'c.h:2',
    ]);
  });

  it('finds in many files what each of them has', () => {
    const content = fc.string({ unit: fc.constantFrom('a', 'b', '\n', 'é'), maxLength: 8 });
    const pattern = fc.constantFrom('a', 'ab', 'a$', '^b', '^$', 'b.', 'é', '$');
    fc.assert(
      fc.property(fc.array(content, { maxLength: 8 }), pattern, (texts, source) => {
        const files = Object.fromEntries(texts.map((text, n) => [`${n}.h`, Buffer.from(text)]));
        const alone = Object.entries(files).flatMap(([path, text]) =>
          search({ [path]: text }, { pattern: source }),
        );
        expect(search(files, { pattern: source })).toEqual(alone);
      }),
      { numRuns: 50 },
    );
  });
});
