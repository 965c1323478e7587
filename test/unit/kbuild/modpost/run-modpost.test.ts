import fc from 'fast-check';
import { KhError } from '../../../../src/core/errors';
import { runModpost, type ModpostInput } from '../../../../src/kbuild/modpost/run-modpost';
import { damaged } from '../../../support/fuzz/arbitraries';
import { GOOD, objectOf } from './support/compile';
import { exported, kernel } from './support/kernel';

const HELLO = `${GOOD} int _printk(const char *); int init_module(void) { return _printk("hello"); }`;
const PROVIDER = `${GOOD} int give(void) { return 1; } int value = 2; EXPORT_IN(give, "_gpl", "") EXPORT_IN(value, "", "KH")`;
const USER = `${GOOD} TAG("import_ns=KH") int give(void); extern int value; int init_module(void) { return give() + value; }`;

const kernelExports = [
  exported('module_layout', { crc: 0x21475b0e }),
  exported('_printk', { crc: 0x92997ed8 }),
];

/** Runs modpost over sources of modules, by name. */
function run(sources: Record<string, string>, more: Partial<ModpostInput> = {}) {
  const objects = Object.entries(sources).map(([name, source]) => ({
    path: `build/${name}.o`,
    bytes: objectOf(source),
  }));
  const result = runModpost({
    objects,
    kernel: kernel('6.1', 'MODVERSIONS', 'SMP'),
    kernelExports,
    extraExports: [],
    warnOnly: false,
    kernelSymbols: () => new Map(),
    ...more,
  });
  const source = (name: string) => result.sources.get(`build/${name}.o`) ?? '';
  const said = result.diagnostics.map(({ severity, file, text }) => `${file}: ${severity}: ${text}`);
  return { ...result, source, said };
}

const crcIn = (source: string, name: string) =>
  new RegExp(`\\{ (0x[0-9a-f]{8}), "${name}" \\}`).exec(source)?.[1];

describe('runModpost', () => {
  it('completes a module that uses the kernel: CRCs of what it uses and of the layout', () => {
    const { source, said, symvers } = run({ hello: HELLO });
    expect(said).toEqual([]);
    expect(symvers).toEqual([]);
    expect(crcIn(source('hello'), 'module_layout')).toBe('0x21475b0e');
    expect(crcIn(source('hello'), '_printk')).toBe('0x92997ed8');
    expect(source('hello')).toContain('MODULE_INFO(depends, "");');
    expect(source('hello')).not.toContain('cleanup_module');
  });

  it('lets modules of one build use each other, in whatever order they come', () => {
    const { source, said, symvers } = run({ 'the-user': USER, 'the-giver': PROVIDER });
    expect(said).toEqual([]);
    expect(symvers).toMatchObject([
      { name: 'give', module: 'the-giver', gpl: true, namespace: '' },
      { name: 'value', module: 'the-giver', gpl: false, namespace: 'KH' },
    ]);
    expect(source('the-user')).toContain('MODULE_INFO(depends, "the-giver");');
    const crc = crcIn(source('the-user'), 'give');
    expect(source('the-giver')).toContain(`SYMBOL_CRC(give, ${crc ?? 'none'}, "_gpl");`);
  });

  it('lets a module use those of builds before', () => {
    const { symvers } = run({ giver: PROVIDER });
    const { source, said } = run({ user: USER }, { extraExports: symvers });
    expect(said).toEqual([]);
    expect(source('user')).toContain('MODULE_INFO(depends, "giver");');
    expect(Number(crcIn(source('user'), 'give'))).toBe(symvers[0]!.crc);
  });

  it('gives an export the same CRC as long as the module stays the same, and another when it changes', () => {
    const crc = (source: string) => run({ giver: source }).symvers[0]!.crc;
    expect(crc(PROVIDER)).toBe(crc(PROVIDER));
    expect(crc(PROVIDER.replace('return 1', 'return 5'))).not.toBe(crc(PROVIDER));
  });

  it('takes a module that is built again for a new version of what a list knows of it', () => {
    const onDevice = exported('give', { module: 'giver', crc: 7 });
    const { said, symvers } = run({ giver: PROVIDER }, { kernelExports: [...kernelExports, onDevice] });
    expect(said).toEqual([]);
    expect(symvers[0]).toMatchObject({ name: 'give', module: 'giver' });
  });

  it('refuses a symbol that the kernel or another module exports too', () => {
    const { said } = run(
      { one: PROVIDER, two: PROVIDER },
      { kernelExports: [...kernelExports, exported('value')] },
    );
    expect(said).toEqual([
      'build/one.o: error: "value" is a symbol that the kernel itself exports: the kernel would not load this module; give it another name',
      'build/two.o: error: "give" is a symbol that module one exports too: the kernel would not load this module; give it another name',
      'build/two.o: error: "value" is a symbol that the kernel itself exports: the kernel would not load this module; give it another name',
    ]);
  });

  it('makes errors of undefined symbols warnings, when told so', () => {
    const source = { hello: HELLO.replaceAll('_printk', 'nowhere') };
    expect(run(source).said).toEqual([
      expect.stringMatching(/^build\/hello\.o: error: undefined symbol "nowhere"/),
    ]);
    expect(run(source, { warnOnly: true }).said).toEqual([
      expect.stringMatching(/^build\/hello\.o: warning: undefined symbol "nowhere"/),
    ]);
  });

  it('calls nothing undefined when the kernel’s exports are not known', () => {
    const { said, source } = run({ hello: HELLO }, { kernelExports: undefined });
    expect(said).toEqual([]);
    expect(source('hello')).toContain('{ 0, "" },');
  });

  it('leaves unknown CRCs out, and says so', () => {
    const known = [exported('module_layout'), exported('_printk', { crc: undefined })];
    const { source, said } = run({ hello: HELLO }, { kernelExports: known });
    expect(source('hello')).not.toContain('"_printk"');
    expect(said).toEqual([
      expect.stringMatching(/warning: the CRC of 1 used symbol\(s\) is not known \(_printk\)/),
    ]);
  });

  it('writes a srcversion when the module has a version, or the kernel wants one of all', () => {
    expect(run({ hello: HELLO }).source('hello')).not.toContain('srcversion');
    const versioned = run({ hello: `${HELLO} TAG("version=1.0")` }).source('hello');
    expect(versioned).toMatch(/MODULE_INFO\(srcversion, "[0-9A-F]{23}"\);/);
    const wanted = { kernel: kernel('6.1', 'MODULE_SRCVERSION_ALL') };
    expect(run({ hello: HELLO }, wanted).source('hello')).toMatch(
      /MODULE_INFO\(srcversion, "[0-9A-F]{23}"\);/,
    );
  });

  it('asks for long names to be shortened, except where the kernel has room for them', () => {
    const long = 'l'.repeat(56);
    const source = { hello: `${GOOD} void ${long}(void); int init_module(void) { ${long}(); return 0; }` };
    const known = { kernelExports: [...kernelExports, exported(long)] };
    expect(run(source, known).said).toEqual([expect.stringMatching(/has 56 characters/)]);
    const roomy = kernel('6.13', 'MODVERSIONS', 'BASIC_MODVERSIONS', 'EXTENDED_MODVERSIONS');
    expect(run(source, { ...known, kernel: roomy }).said).toEqual([]);
  });

  it('answers a damaged object with an error of its own, if at all', () => {
    const whole = objectOf(
      USER + PROVIDER.replace(GOOD, '').replaceAll('give', 'more').replaceAll('value', 'other'),
    );
    fc.assert(
      fc.property(damaged(whole), (bytes) => {
        try {
          const { sources } = runModpost({
            objects: [{ path: 'a.o', bytes }],
            kernel: kernel('6.1', 'MODVERSIONS'),
            kernelExports,
            extraExports: [],
            warnOnly: false,
            kernelSymbols: () => new Map(),
          });
          expect([...sources.keys()]).toEqual(['a.o']);
        } catch (error) {
          expect(error).toBeInstanceOf(KhError);
          expect(error).toMatchObject({ code: 'BUILD_BAD_OBJECT' });
        }
      }),
      { numRuns: 1500 },
    );
  });
});
