import fc from 'fast-check';
import { mergeSources, moduleSources } from '../../../../src/kbuild/symvers/merge-sources';
import type { ModuleSymbols } from '../../../../src/kbuild/symvers/module-exports';
import type { SymversEntry } from '../../../../src/kbuild/symvers/symvers-file';

const entry = (name: string, crc?: number, more: Partial<SymversEntry> = {}): SymversEntry => ({
  name,
  crc,
  module: 'vmlinux',
  gpl: false,
  namespace: '',
  ...more,
});

describe('mergeSources', () => {
  it('takes of each symbol what the first source says, and tells which that was', () => {
    const { entries, origins, dropped } = mergeSources([
      { name: 'image', entries: [entry('kfree', 1, { gpl: true }), entry('module_layout', 2)] },
      { name: 'modules', entries: [entry('kfree', 1), entry('snd_new', 3)] },
    ]);
    expect(entries).toEqual([
      entry('kfree', 1, { gpl: true }),
      entry('module_layout', 2),
      entry('snd_new', 3),
    ]);
    expect([...origins]).toEqual([
      ['kfree', 'image'],
      ['module_layout', 'image'],
      ['snd_new', 'modules'],
    ]);
    expect(dropped).toEqual([]);
  });

  it('drops all of a source that disagrees with a better one, and names what shows it', () => {
    const { entries, dropped } = mergeSources([
      { name: 'image', entries: [entry('kfree', 1), entry('module_layout', 2)] },
      { name: 'stale', entries: [entry('kfree', 0xbad), entry('module_layout', 0xbeef), entry('other', 5)] },
      { name: 'fresh', entries: [entry('other', 6)] },
    ]);
    expect(entries.map(({ name, crc }) => [name, crc])).toEqual([
      ['kfree', 1],
      ['module_layout', 2],
      ['other', 6],
    ]);
    expect(dropped).toEqual([
      {
        source: 'stale',
        against: 'image',
        symbol: 'module_layout',
        why: '2 of 2 CRCs differ from those known: module_layout is 0x0000beef, and 0x00000002 in image',
      },
    ]);
  });

  it('drops a source that was built against other CRCs, though its own exports are new', () => {
    const { entries, dropped } = mergeSources([
      { name: 'image', entries: [entry('kfree', 1)] },
      { name: 'module', entries: [entry('own', 5)], uses: new Map([['kfree', 2]]) },
    ]);
    expect(entries).toEqual([entry('kfree', 1)]);
    expect(dropped).toMatchObject([{ source: 'module', against: 'image', symbol: 'kfree' }]);
  });

  it('does not take what a source uses for what it offers', () => {
    const sources = [{ name: 'module', entries: [entry('own', 5)], uses: new Map([['kfree', 2]]) }];
    expect(mergeSources(sources).entries).toEqual([entry('own', 5)]);
  });

  it('takes no CRC for no disagreement', () => {
    const { entries, dropped } = mergeSources([
      { name: 'file', entries: [entry('kfree')] },
      { name: 'image', entries: [entry('kfree', 1), entry('vfree')] },
      { name: 'modules', entries: [entry('vfree', 4)] },
    ]);
    expect(entries).toEqual([entry('kfree'), entry('vfree')]);
    expect(dropped).toEqual([]);
  });

  it('gives each symbol once, of a source that was kept, and never contradicts the first', () => {
    const one = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd', 'module_layout'),
      crc: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    });
    const lists = fc.array(fc.uniqueArray(one, { selector: ({ name }) => name }), { maxLength: 5 });
    fc.assert(
      fc.property(lists, (all) => {
        const sources = all.map((list, index) => ({
          name: `source ${index}`,
          entries: list.map(({ name, crc }) => entry(name, crc)),
        }));
        const { entries, origins, dropped } = mergeSources(sources);
        const kept = sources.filter(({ name }) => !dropped.some(({ source }) => source === name));
        const names = new Set(kept.flatMap((source) => source.entries.map(({ name }) => name)));
        expect(new Set(entries.map(({ name }) => name))).toEqual(names);
        expect(entries).toHaveLength(names.size);
        expect(kept.slice(0, 1)).toEqual(sources.slice(0, 1));
        for (const found of entries) {
          const origin = kept.find(({ name }) => name === origins.get(found.name));
          expect(origin?.entries).toContainEqual(found);
        }
      }),
    );
  });
});

describe('moduleSources', () => {
  const module = (name: string, exports: SymversEntry[], imports: [string, number][]): ModuleSymbols => ({
    name,
    exports,
    imports: new Map(imports),
    thisModuleSize: undefined,
  });

  it('puts what modules export before what they import', () => {
    const user = module(
      'user',
      [],
      [
        ['snd_new', 3],
        ['kfree', 1],
      ],
    );
    const owner = module('snd', [entry('snd_new', 3, { module: 'snd', gpl: true })], [['kfree', 1]]);
    const { entries, origins } = mergeSources(moduleSources([user, owner]));
    expect(entries).toEqual([entry('snd_new', 3, { module: 'snd', gpl: true }), entry('kfree', 1)]);
    expect([...origins.values()]).toEqual(['exports of snd.ko', 'imports of user.ko']);
  });

  it('leaves out exports and imports of a module of another build', () => {
    const image = { name: 'image', entries: [entry('module_layout', 1)] };
    const stale = module('stale', [entry('own', 5)], [['module_layout', 2]]);
    const { entries, dropped } = mergeSources([image, ...moduleSources([stale])]);
    expect(entries).toEqual(image.entries);
    expect(dropped.map(({ source }) => source)).toEqual(['exports of stale.ko', 'imports of stale.ko']);
  });
});
