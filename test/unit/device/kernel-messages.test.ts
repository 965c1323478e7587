import { explainLines } from '../../../src/device/kernel-messages';

const explain = (text: string) => explainLines([{ seconds: 1, text }])[0]!;

describe('explainLines', () => {
  it.each([
    [
      "hello: version magic '6.12.1 SMP preempt mod_unload aarch64' should be '6.1.2 SMP preempt mod_unload aarch64'",
      'reason',
      /built for kernel 6\.12\.1, and 6\.1\.2 runs/,
    ],
    [
      "hello: version magic '6.1.2 SMP mod_unload aarch64' should be '6.1.2 SMP preempt mod_unload modversions aarch64'",
      'reason',
      /built without preempt, modversions$/,
    ],
    [
      "hello: version magic '6.1.2 SMP mod_unload RANDSTRUCT_x aarch64 ' should be '6.1.2 SMP mod_unload aarch64 '",
      'reason',
      /built with RANDSTRUCT_x$/,
    ],
    ['hello: disagrees about version of symbol module_layout', 'reason', /another configuration/],
    ['hello: disagrees about version of symbol kmalloc', 'reason', /types that kmalloc takes/],
    ['hello: no symbol version for kmalloc', 'note', /checksum for kmalloc/],
    ['hello: Unknown symbol foo (err -2)', 'reason', /exports foo to it/],
    ['hello: Unknown symbol foo (err -22)', 'reason', /checksum or its namespace/],
    ['hello: Unknown symbol foo (err -13)', 'reason', /closed to modules that are not signed/],
    ['hello: Protected symbol: foo (err -13)', 'reason', /keeps foo for modules/],
    ['hello: exports protected symbol foo', 'reason', /own modules export foo/],
    [
      'hello: module uses symbol (foo) from namespace BAR, but does not import it.',
      'reason',
      /namespace BAR$/,
    ],
    ['hello: module PLT section(s) missing', 'reason', /linker script/],
    [
      'Modules: module hello: Exactly one .gnu.linkonce.this_module section must exist.',
      'reason',
      /another kernel/,
    ],
    [
      "module hello: .gnu.linkonce.this_module section size must match the kernel's built struct module size at run time",
      'reason',
      /another kernel/,
    ],
    ['hello: please compile with -fno-common', 'reason', /common to several files/],
    ['hello: no versions for exported symbols', 'reason', /without their checksums/],
    ['Loading of unsigned module is rejected', 'reason', /signed/],
    ['hello: exports duplicate symbol foo (owned by bar)', 'reason', /exported by bar/],
    ['hello: exports duplicate symbol foo (owned by kernel)', 'reason', /in the kernel itself/],
    ["hello: `abc' invalid for parameter `count'", 'reason', /count does not take "abc"/],
    ["hello: `abcdef' too large for parameter `name'", 'reason', /value of name has 6/],
    ["hello: unknown parameter 'cuont' ignored", 'note', /no parameter cuont/],
    ['Modules: module hello: unsupported RELA relocation: 311', 'reason', /flags/],
    ['Invalid architecture in ELF header: 62', 'reason', /another processor/],
    ['avc:  denied  { module_load } for  pid=1 comm="insmod"', 'reason', /SELinux/],
    [
      'CFI failure at do_one_initcall+0x5c/0x2b8 (target: init_module+0x0/0x8; expected type: 0x36b1c5a6)',
      'fault',
      /kCFI/,
    ],
    ['Internal error: Oops - CFI: 00000000f2008228 [#1] PREEMPT SMP', 'fault', /kCFI/],
    ['Unable to handle kernel NULL pointer dereference at virtual address 0', 'fault', /went wrong/],
    ['Kernel panic - not syncing: Fatal exception', 'fault', /gave up/],
    ['hello: loading out-of-tree module taints kernel.', 'note', /normal/],
    [
      'hello: module verification failed: signature and/or required key missing - tainting kernel',
      'note',
      /not signed/,
    ],
    ["hello: module license 'Proprietary' taints kernel.", 'note', /GPL-only/],
  ] as const)('knows %j', (text, kind, meaning) => {
    const line = explain(text);
    expect(line).toMatchObject({ seconds: 1, text, kind });
    expect(line.meaning).toMatch(meaning);
  });

  it('says what to do about each reason that something can be done about', () => {
    expect(
      explain('hello: module uses symbol (foo) from namespace BAR, but does not import it.').whatToDo,
    ).toContain('MODULE_IMPORT_NS(BAR)');
    expect(explain('hello: exports duplicate symbol foo (owned by bar)').whatToDo).toContain(
      'kh unload-module bar',
    );
  });

  it.each(['hello: here I am', 'wlan0: associated', ''])('leaves %j as it is', (text) => {
    expect(explain(text)).toEqual({ seconds: 1, text });
  });
});
