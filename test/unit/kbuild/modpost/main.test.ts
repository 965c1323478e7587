import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readElf } from '../../../../src/kbuild/elf/elf-file';
import { readModuleVersions } from '../../../../src/kbuild/check/module-versions';
import { main } from '../../../../src/kbuild/modpost/main';
import { readModInfo } from '../../../../src/kbuild/modpost/modinfo';
import { tempFolder } from '../../../support/temp-folder';
import { compile, GOOD, objectOf } from './support/compile';
import { generatedPartFlags, makeHeaders } from './support/headers';

const SYMVERS = [
  '0x21475b0e\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n',
  '0x92997ed8\t_printk\tvmlinux\tEXPORT_SYMBOL\t\n',
  '0xbdfb6dbb\t__fentry__\tvmlinux\tEXPORT_SYMBOL\t\n',
].join('');
const HELLO = `${GOOD} int _printk(const char *); int init_module(void) { return _printk("hi"); } void cleanup_module(void) {}`;

interface PlaceOptions {
  version?: string;
  options?: string[];
  symvers?: string | null;
}

/** A kdir with a kernel of that version, and a place for objects. */
async function place({ version = '6.1', options = [], symvers = SYMVERS }: PlaceOptions = {}) {
  const folder = await tempFolder();
  const [kdir, headers] = [join(folder, 'kdir'), join(folder, 'headers')];
  makeHeaders(headers, version, options);
  mkdirSync(kdir);
  if (symvers !== null) writeFileSync(join(kdir, 'Module.symvers'), symvers);
  const record = {
    kdir: 1,
    arch: 'x86_64',
    release: `${version}.9-test`,
    headers,
    symvers: symvers === null ? null : join(kdir, 'Module.symvers'),
    compiler: { kind: 'gcc', command: 'gcc', version: '12' },
    linker: { command: 'ld', version: '2' },
  };
  writeFileSync(join(kdir, 'kh.json'), JSON.stringify(record));
  const path = (name: string) => join(folder, name);
  const modpost = (...more: string[]) =>
    run(['--kdir', kdir, '--output-symvers', path('Module.symvers'), ...more]);
  return {
    folder,
    kdir,
    headers,
    path,
    modpost,
    put: (name: string, bytes: Buffer | string) => writeFileSync(path(name), bytes),
  };
}

/** The exit code and what went to stderr. */
function run(argv: string[]) {
  let stderr = '';
  const write = jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
  try {
    return { code: main(argv), stderr };
  } finally {
    write.mockRestore();
  }
}

/** Compiles the generated part with the headers and links the module. */
function finish({ headers, path }: { headers: string; path: (name: string) => string }, name: string) {
  const part = compile(readFileSync(path(`${name}.mod.c`), 'utf8'), {
    flags: generatedPartFlags(headers, name),
  });
  writeFileSync(path(`${name}.mod.o`), part);
  execFileSync('ld', ['-r', '-o', path(`${name}.ko`), path(`${name}.o`), path(`${name}.mod.o`)]);
  return readElf(readFileSync(path(`${name}.ko`)), `${name}.ko`);
}

describe('modpost', () => {
  it.each(['4.14', '5.4', '5.10', '5.15', '6.1', '6.6', '6.12'])(
    'writes a part that compiles with the headers of %s and completes the module',
    async (version) => {
      const here = await place({ version });
      const isNew = Number(version.replace('6.', '')) >= 5 && version.startsWith('6.');
      const exports = isNew
        ? 'EXPORT_NEW(give, "GPL", "")'
        : version.startsWith('6.')
          ? 'EXPORT_IN(give, "_gpl", "")'
          : // Until 5.18 the object leaves the CRC open.
            'EXPORT_IN(give, "_gpl", "") asm(".section \\"___kcrctab_gpl+give\\",\\"a\\"\\n.weak __crc_give\\n.long __crc_give\\n.previous\\n");';
      here.put('my-mod.o', objectOf(`${HELLO} int give(void) { return 1; } ${exports}`));
      expect(here.modpost(here.path('my-mod.o'))).toEqual({ code: 0, stderr: '' });

      const ko = finish(here, 'my-mod');
      const info = readModInfo(ko);
      expect(info.get('name')).toEqual(['my_mod']);
      expect(info.get('depends')).toEqual(['']);
      expect(info.get('vermagic')).toEqual([`${version}.9-test SMP mod_unload modversions `]);
      expect(Object.fromEntries(readModuleVersions(ko) ?? [])).toEqual({
        module_layout: 0x21475b0e,
        _printk: 0x92997ed8,
      });
      const uses = ko.relocations(ko.section('.gnu.linkonce.this_module')!).map(({ symbol }) => symbol?.name);
      expect(uses).toEqual(['init_module', 'cleanup_module']);

      const [line = ''] = readFileSync(here.path('Module.symvers'), 'utf8').split('\n');
      expect(line).toMatch(/^0x[0-9a-f]{8}\tgive\tmy-mod\tEXPORT_SYMBOL_GPL\t$/);
      const crc = ko.symbols.find(({ name }) => name === '__crc_give')!;
      const table = ko.section('___kcrctab_gpl+give')!;
      const value = crc.section === undefined ? crc.value : table.data().readUInt32LE(0);
      expect(value).toBe(Number(line.split('\t')[0]));
      expect(ko.symbols.filter(({ name }) => name === '__ksymtab_give')).toHaveLength(1);
    },
  );

  it('writes extended lists of CRCs for kernels that have them, which the kernel reads first', async () => {
    const here = await place({ version: '6.13', options: ['BASIC_MODVERSIONS', 'EXTENDED_MODVERSIONS'] });
    here.put('hello.o', objectOf(HELLO));
    expect(here.modpost(here.path('hello.o')).code).toBe(0);
    const ko = finish(here, 'hello');
    expect(ko.section('__versions')!.size).toBe(128);
    expect(ko.section('__version_ext_crcs')!.size).toBe(8);
    expect(Object.fromEntries(readModuleVersions(ko) ?? [])).toEqual({
      module_layout: 0x21475b0e,
      _printk: 0x92997ed8,
    });
  });

  it('does not touch files that would stay as they are', async () => {
    const here = await place();
    here.put('hello.o', objectOf(HELLO, { flags: ['-pg', '-mfentry'] }));
    const modpost = () => here.modpost('--call-sites', 'nops', here.path('hello.o'));
    modpost();
    const files = ['hello.mod.c', 'hello.traceable.o', 'Module.symvers'].map(here.path);
    for (const file of files) utimesSync(file, 1000, 1000);
    modpost();
    expect(files.map((file) => statSync(file).mtimeMs)).toEqual(files.map(() => 1_000_000));
  });

  it.each([
    ['calls', /call .*\nR_X86_64_PLT32\s+__fentry__/],
    ['nops', /nopl +0x0\(%rax,%rax,1\)\n.*R_X86_64_NONE\s+__fentry__/],
  ])('makes an object that lists for ftrace where its functions start, as %s', async (form, start) => {
    const here = await place();
    const object = objectOf(HELLO, { flags: ['-pg', '-mfentry'] });
    here.put('hello.o', object);
    expect(here.modpost('--call-sites', form, here.path('hello.o')).code).toBe(0);
    expect(readFileSync(here.path('hello.o')).equals(object)).toBe(true);
    const code = execFileSync('objdump', ['-dr', here.path('hello.traceable.o')], { encoding: 'utf8' });
    expect(code.replace(/\n\s+[0-9a-f]+: (?=R_)/g, '\n')).toMatch(start);
    const made = readElf(readFileSync(here.path('hello.traceable.o')), 'hello.traceable.o');
    expect(made.section('__mcount_loc')!.size).toBe(16);
  });

  it('makes no such object unless asked', async () => {
    const here = await place();
    here.put('hello.o', objectOf(HELLO, { flags: ['-pg', '-mfentry'] }));
    expect(here.modpost(here.path('hello.o')).code).toBe(0);
    expect(existsSync(here.path('hello.traceable.o'))).toBe(false);
  });

  it('reads the exports of other builds, and says which module they need', async () => {
    const here = await place();
    here.put('other.symvers', '0x00000007\tgive\t/there/giver\tEXPORT_SYMBOL\t\n');
    here.put('user.o', objectOf(`${GOOD} int give(void); int init_module(void) { return give(); }`));
    expect(here.modpost('--extra-symbols', here.path('other.symvers'), here.path('user.o'))).toEqual({
      code: 0,
      stderr: '',
    });
    expect(readFileSync(here.path('user.mod.c'), 'utf8')).toMatch(
      /\{ 0x00000007, "give" \}[^]*depends, "giver"/,
    );
  });

  it('writes nothing when there is an error, and says it as compilers do', async () => {
    const here = await place();
    here.put('bad.o', objectOf(HELLO.replaceAll('_printk', '_prinkt')));
    const { code, stderr } = here.modpost(here.path('bad.o'));
    expect(code).toBe(1);
    expect(stderr).toBe(
      `${here.path('bad.o')}: error: undefined symbol "_prinkt", which init_module() uses: neither the kernel nor a module of KBUILD_EXTRA_SYMBOLS exports it. Did you mean "_printk"?\n`,
    );
    expect(existsSync(here.path('bad.mod.c'))).toBe(false);
    expect(here.modpost('--warn', here.path('bad.o')).code).toBe(0);
    expect(existsSync(here.path('bad.mod.c'))).toBe(true);
  });

  it('looks into a list of all symbols, in the kdir or where it is told', async () => {
    const here = await place();
    here.put('bad.o', objectOf(HELLO.replaceAll('_printk', 'hidden')));
    writeFileSync(join(here.kdir, 'kallsyms'), 'ffffffc008000000 t hidden\n');
    expect(here.modpost(here.path('bad.o')).stderr).toMatch(
      /: the kernel has it, but does not export it to modules$/m,
    );
    here.put('symbols', '0000000000000000 t hidden\t[foo]\n');
    const { stderr } = here.modpost('--kallsyms', here.path('symbols'), here.path('bad.o'));
    expect(stderr).toMatch(/: module foo has it, but does not export it to modules$/m);
  });

  it('warns once when it is not known what the kernel exports', async () => {
    const here = await place({ symvers: null });
    here.put('hello.o', objectOf(HELLO));
    const { code, stderr } = here.modpost(here.path('hello.o'));
    expect(code).toBe(0);
    expect(stderr.split('\n')).toEqual([
      `${here.kdir}: warning: it is not known what this kernel exports, so nothing that the modules use can be checked: see kh symvers`,
      '',
    ]);
  });

  it('tells what is wrong with its arguments and files', async () => {
    const here = await place();
    expect(run(['hello.o'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--kdir and --output-symvers are needed') as string,
    });
    expect(here.modpost('hello.c')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('hello.c is no object (.o)') as string,
    });
    expect(here.modpost('--call-sites', 'jumps', 'hello.o')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--call-sites jumps is neither calls nor nops') as string,
    });
    expect(here.modpost('--what')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('usage: modpost') as string,
    });
    here.put('text.o', 'no object\n');
    expect(here.modpost(here.path('text.o'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('text.o is no ELF file') as string,
    });
    const missing = here.modpost(here.path('gone.o'));
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^modpost: error: .*gone\.o/) as string,
    });
  });
});
