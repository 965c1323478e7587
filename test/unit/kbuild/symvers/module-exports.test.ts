import fc from 'fast-check';
import { KhError } from '../../../../src/core/errors';
import { readModuleSymbols } from '../../../../src/kbuild/symvers/module-exports';
import { buildElf, type ElfPlan, type RelocationPlan, type SectionPlan } from '../elf/build-elf';

const STRINGS = '__ksymtab_strings';
const ABS = 0xfff1;
/** The relative relocations of arm64 and of x86_64. */
const MACHINES = { arm64: { machine: 183, relative: 261 }, x86_64: { machine: 62, relative: 2 } } as const;

type Export = [name: string, crc: number, namespace?: string];
interface ModulePlan {
  machine?: keyof typeof MACHINES;
  exports?: Export[];
  gplExports?: Export[];
  /** Through symbols `__crc_…`, as before 5.19. */
  crcSymbols?: boolean;
  more?: SectionPlan[];
}

function words(values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32LE(value, 4 * index));
  return bytes;
}

function modulePlan(plan: ModulePlan): Required<ElfPlan> {
  const { machine = 'arm64', exports = [], gplExports = [], crcSymbols = false, more = [] } = plan;
  const all = [...exports, ...gplExports];
  const text = ['', ...all.flatMap(([name, , namespace = '']) => [name, namespace])].join('\0') + '\0';
  const at = (name: string) => text.indexOf(`\0${name}\0`) + 1;
  const sections: SectionPlan[] = [{ name: STRINGS, data: Buffer.from(text, 'latin1') }, ...more];
  const symbols = [
    { name: STRINGS, section: STRINGS, bind: 0, type: 3 },
    ...all.map(([name, crc]) => ({ name: `__crc_${name}`, section: ABS, value: crc })),
  ];
  const relocations: RelocationPlan[] = [];
  for (const [suffix, table] of [
    ['', exports],
    ['_gpl', gplExports],
  ] as const) {
    if (table.length === 0) continue;
    sections.push({ name: `__ksymtab${suffix}`, data: Buffer.alloc(12 * table.length) });
    sections.push({
      name: `__kcrctab${suffix}`,
      data: words(table.map(([, crc]) => (crcSymbols ? 0 : crc))),
    });
    for (const [index, [name, , namespace]] of table.entries()) {
      const { relative: type } = MACHINES[machine];
      const entry = { section: `__ksymtab${suffix}`, type, symbol: STRINGS };
      relocations.push({ ...entry, offset: 12 * index + 4, addend: at(name) });
      if (namespace !== undefined)
        relocations.push({ ...entry, offset: 12 * index + 8, addend: at(namespace) });
      if (!crcSymbols) continue;
      relocations.push({
        section: `__kcrctab${suffix}`,
        offset: 4 * index,
        type: 258,
        symbol: `__crc_${name}`,
      });
    }
  }
  return { machine: MACHINES[machine].machine, type: 1, sections, symbols, relocations };
}

const makeModule = (plan: ModulePlan) => buildElf(modulePlan(plan));

function versions(imports: [name: string, crc: number][]): SectionPlan {
  const records = imports.map(([name, crc]) => {
    const record = Buffer.alloc(64);
    record.writeUInt32LE(crc);
    record.write(name, 8, 'latin1');
    return record;
  });
  return { name: '__versions', data: Buffer.concat(records) };
}

const read = (bytes: Buffer) => readModuleSymbols(bytes, '/vendor/lib/modules/snd-pcm.ko');

describe('readModuleSymbols', () => {
  it.each(['arm64', 'x86_64'] as const)('reads the exports of a module for %s', (machine) => {
    const plan: ModulePlan = {
      machine,
      exports: [['snd_pcm_new', 0x11, '']],
      gplExports: [
        ['snd_pcm_lib_free', 0x22],
        ['snd_pcm_secret', 0xfedcba98, 'SND_PRIVATE'],
      ],
    };
    expect(read(makeModule(plan))).toEqual({
      name: 'snd-pcm',
      exports: [
        { name: 'snd_pcm_new', crc: 0x11, module: 'snd-pcm', gpl: false, namespace: '' },
        { name: 'snd_pcm_lib_free', crc: 0x22, module: 'snd-pcm', gpl: true, namespace: '' },
        { name: 'snd_pcm_secret', crc: 0xfedcba98, module: 'snd-pcm', gpl: true, namespace: 'SND_PRIVATE' },
      ],
      imports: new Map(),
    });
  });

  it('reads CRCs that are the values of symbols, as before 5.19', () => {
    const bytes = makeModule({
      exports: [
        ['one', 0x89abcdef],
        ['two', 2],
      ],
      crcSymbols: true,
    });
    expect(read(bytes).exports.map(({ name, crc }) => [name, crc])).toEqual([
      ['one', 0x89abcdef],
      ['two', 2],
    ]);
  });

  it('goes by the flags of a kernel that has one table for all', () => {
    const more = [{ name: '__kflagstab', data: Buffer.from([0, 1]) }];
    const { exports } = read(
      makeModule({
        exports: [
          ['one', 1],
          ['two', 2],
        ],
        more,
      }),
    );
    expect(exports.map(({ gpl }) => gpl)).toEqual([false, true]);
  });

  it('gives exports without CRCs where the module has none', () => {
    const plan = modulePlan({ exports: [['one', 1]] });
    plan.sections = plan.sections.filter(({ name }) => name !== '__kcrctab');
    expect(read(buildElf(plan)).exports).toMatchObject([{ name: 'one', crc: undefined }]);
  });

  it('reads what the module imports, names of full length included', () => {
    const long = 'x'.repeat(55);
    const bytes = makeModule({
      more: [
        versions([
          ['module_layout', 0xeeeeeeee],
          [long, 5],
        ]),
      ],
    });
    expect(read(bytes)).toEqual({
      name: 'snd-pcm',
      exports: [],
      imports: new Map([
        ['module_layout', 0xeeeeeeee],
        [long, 5],
      ]),
    });
  });

  it('prefers the imports of 6.13 with names of any length', () => {
    const long = 'x'.repeat(200);
    const more = [
      versions([['module_layout', 1]]),
      { name: '__version_ext_crcs', data: words([2, 3]) },
      { name: '__version_ext_names', data: Buffer.from(`module_layout\0${long}\0`) },
    ];
    expect([...read(makeModule({ more })).imports]).toEqual([
      ['module_layout', 2],
      [long, 3],
    ]);
  });

  const changed = (plan: ModulePlan, change: (elf: Required<ElfPlan>) => void) => {
    const elf = modulePlan(plan);
    change(elf);
    return buildElf(elf);
  };
  const one: ModulePlan = { exports: [['one', 1]] };
  const ext = (names: string) => [
    { name: '__version_ext_crcs', data: words([1]) },
    { name: '__version_ext_names', data: Buffer.from(names) },
  ];

  it.each([
    [
      'a table that is no list of entries',
      changed(one, ({ sections }) => (sections[1]!.data = Buffer.alloc(13))),
      '__ksymtab of 13 bytes',
    ],
    [
      'a table without bytes',
      changed(one, ({ sections }) => Object.assign(sections[1]!, { type: 8, size: 12 })),
      '__ksymtab of 12 bytes',
    ],
    [
      'more CRCs than symbols',
      changed(one, ({ sections }) => (sections[2]!.data = words([1, 2]))),
      'exports 1 symbols, but __kcrctab is for 2',
    ],
    [
      'a name that nothing leads to',
      changed(one, ({ relocations }) => relocations.pop()),
      'whose name is ""',
    ],
    [
      'a name out of its section',
      changed(one, ({ relocations }) => (relocations[0]!.addend = 99)),
      'outside of its section',
    ],
    [
      'a name before its section',
      changed(one, ({ relocations }) => (relocations[0]!.addend = -1)),
      'outside of its section',
    ],
    [
      'another kind of reference',
      changed(one, ({ relocations }) => (relocations[0]!.type = 257)),
      'relocation of type 257',
    ],
    ['a name that is none', makeModule({ exports: [['a b', 1]] }), 'whose name is "a b"'],
    [
      'half a record of imports',
      makeModule({ more: [{ name: '__versions', data: Buffer.alloc(96) }] }),
      '__versions of 96 bytes',
    ],
    ['fewer names than CRCs', makeModule({ more: ext('') }), 'imports 0 names, but has 1 CRCs'],
    ['a name without an end', makeModule({ more: ext('module_layout') }), 'imports 0 names'],
    ['no ELF file', Buffer.from('not a module'), 'snd-pcm.ko'],
  ])('refuses a module with %s', (_, bytes, message) => {
    expect(() => read(bytes)).toThrow(message);
    expect(() => read(bytes)).toThrow(KhError);
  });

  it('fails with its own error alone, however a module is damaged', () => {
    const whole = makeModule({
      exports: [['one', 1, 'NS']],
      gplExports: [['two', 2]],
      crcSymbols: true,
      more: [versions([['module_layout', 1]]), ...ext('module_layout\0')],
    });
    const flip = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 7 }));
    fc.assert(
      fc.property(fc.array(flip, { maxLength: 6 }), fc.nat(whole.length), (flips, cut) => {
        const bytes = Buffer.from(whole);
        for (const [at, bit] of flips) bytes[at]! ^= 1 << bit;
        for (const image of [bytes, bytes.subarray(0, cut)]) {
          try {
            for (const { name } of read(image).exports) expect(name).toMatch(/^[\w.$]+$/);
          } catch (error) {
            expect(error).toMatchObject({ name: 'KhError', code: 'BUILD_BAD_OBJECT' });
          }
        }
      }),
    );
  });
});
