import type { FlagInputs } from '../../../../src/kbuild/flags/flag-plan';
import { moduleFlags } from '../../../../src/kbuild/flags/module-flags';
import { parseAutoconf, type KernelVersion } from '../../../../src/kbuild/kernel-config';
import { autoconf, type Options } from '../../../support/fake-headers';

function version(text: string): KernelVersion {
  const [major = 0, minor = 0, patch = 0] = text.split('.').map(Number);
  return { release: `${text}-test`, major, minor, patch };
}

function inputs(
  arch: 'arm64' | 'x86_64',
  kernel: string,
  options: Options,
  compiler: FlagInputs['compiler'] = { kind: 'clang', version: 160006 },
): FlagInputs {
  const config = parseAutoconf(autoconf(options));
  return { config, version: version(kernel), arch, compiler, stackCanaryOffset: 1104 };
}

/** The flags for C in one line, with a blank at both ends so that whole flags can be looked for. */
function line(...args: Parameters<typeof inputs>): string {
  const rows = moduleFlags(inputs(...args)).flags.filter((row) => row.for !== 'asm');
  return ` ${rows.flatMap(({ flags }) => flags).join(' ')} `;
}

function classOf(flag: string, ...args: Parameters<typeof inputs>): string | undefined {
  return moduleFlags(inputs(...args)).flags.find(({ flags }) => flags.includes(flag))?.class;
}

const gcc = { kind: 'gcc', version: 120200 } as const;

describe('flags that a kernel version decides', () => {
  it.each([
    ['5.10.1', '-std=gnu89', '-std=gnu11'],
    ['5.18.0', '-std=gnu11', '-std=gnu89'],
    ['6.2.0', '-funsigned-char', '-std=gnu89'],
    ['6.1.99', '-std=gnu11', '-funsigned-char'],
    ['6.5.0', '-fstrict-flex-arrays=3', '-std=gnu89'],
    ['6.4.16', '-std=gnu11', '-fstrict-flex-arrays=3'],
    ['6.19.0', '-fms-extensions', '-std=gnu89'],
    ['6.18.0', '-std=gnu11', '-fms-extensions'],
  ])('%s has %s and not %s', (kernel, has, hasNot) => {
    const flags = line('arm64', kernel, {});
    expect(flags).toContain(` ${has} `);
    expect(flags).not.toContain(` ${hasNot} `);
  });
});

describe('the Microsoft extensions', () => {
  it('are on wherever the kernel has the option for them, backported or not', () => {
    const options = { CC_MS_EXTENSIONS: '-fms-anonymous-structs' };
    expect(line('arm64', '6.12.0', options)).toContain(' -fms-extensions ');
    expect(classOf('-fms-extensions', 'arm64', '6.12.0', options)).toBe('compile');
  });

  it('are warned of by clang only', () => {
    expect(line('arm64', '7.2.0', {})).toContain(' -Wno-microsoft-anon-tag ');
    expect(line('arm64', '7.2.0', {}, gcc)).not.toContain('-Wno-microsoft-anon-tag');
  });
});

describe('flags of a compiler of the other kind than the kernel’s', () => {
  it.each([
    ['gcc 12', gcc, '-falign-functions=8'],
    ['gcc 14', { kind: 'gcc', version: 140200 } as const, '-fmin-function-alignment=8'],
    ['clang 16', undefined, '-falign-functions=8'],
  ])('align functions by what %s has, whatever the kernel’s own compiler has', (_, compiler, flag) => {
    const options = { FUNCTION_ALIGNMENT: 8 };
    expect(line('arm64', '6.12.0', options, compiler)).toContain(` ${flag} `);
  });

  it('mark no function as rarely used where only the kernel’s own compiler aligns those', () => {
    const first = (options: Options, compiler?: FlagInputs['compiler']) =>
      moduleFlags(inputs('arm64', '7.2.0', options, compiler)).afterKconfig;
    const options = { CC_HAS_SANE_FUNCTION_ALIGNMENT: 'y', FUNCTION_ALIGNMENT: 8 } as const;
    expect(first(options, gcc)).toEqual(['nothing-cold.h']);
    expect(first({ FUNCTION_ALIGNMENT: 8 }, gcc)).toEqual([]);
    expect(first(options)).toEqual([]);
    expect(first(options, { kind: 'gcc', version: 140200 })).toEqual([]);
  });

  it('warn of cases that fall through in its own words', () => {
    const ofGcc = { CC_IMPLICIT_FALLTHROUGH: '-Wimplicit-fallthrough=5' };
    expect(line('arm64', '6.1.0', ofGcc, gcc)).toContain(' -Wimplicit-fallthrough=5 ');
    expect(line('arm64', '6.1.0', ofGcc)).toContain(' -Wimplicit-fallthrough ');
    const ofClang = { CC_IMPLICIT_FALLTHROUGH: '-Wimplicit-fallthrough' };
    expect(line('arm64', '6.1.0', ofClang, gcc)).toContain(' -Wimplicit-fallthrough=5 ');
  });
});

describe('flags of arm64', () => {
  it('name the processor to clang, and leave it to a cross gcc', () => {
    expect(line('arm64', '6.1.0', {})).toContain(' --target=aarch64-linux-gnu ');
    expect(line('arm64', '6.1.0', {}, gcc)).not.toContain('--target');
    expect(line('arm64', '6.1.0', {}, gcc)).toContain(' -mabi=lp64 ');
  });

  it.each<[string, Options, string, string]>([
    ['6.1.0', { ARM64_BTI_KERNEL: 'y', ARM64_PTR_AUTH_KERNEL: 'y' }, 'pac-ret+leaf+bti', 'crash'],
    ['6.12.0', { ARM64_BTI_KERNEL: 'y' }, 'pac-ret+bti', 'crash'],
    ['6.1.0', { ARM64_PTR_AUTH_KERNEL: 'y' }, 'pac-ret+leaf', 'diag'],
    ['5.10.0', { ARM64_PTR_AUTH: 'y' }, 'pac-ret+leaf', 'diag'],
    ['5.4.0', { ARM64_PTR_AUTH: 'y' }, 'none', 'diag'],
    ['5.15.0', { ARM64_PTR_AUTH: 'y' }, 'none', 'diag'],
    ['6.6.0', { UNWIND_PATCH_PAC_INTO_SCS: 'y' }, 'pac-ret', 'diag'],
    ['6.6.0', {}, 'none', 'diag'],
  ])('%s with %j protects branches by %s', (kernel, options, protection, kind) => {
    const flag = `-mbranch-protection=${protection}`;
    expect(line('arm64', kernel, options)).toContain(` ${flag} `);
    expect(classOf(flag, 'arm64', kernel, options)).toBe(kind);
  });

  it('keep x18 for the shadow call stack, also where it is patched in', () => {
    const scs = { SHADOW_CALL_STACK: 'y' };
    expect(line('arm64', '6.1.0', scs)).toMatch(/ -ffixed-x18 -fsanitize=shadow-call-stack /);
    const dynamic = line('arm64', '6.6.0', { ...scs, DYNAMIC_SCS: 'y' });
    expect(dynamic).toContain(' -ffixed-x18 ');
    expect(dynamic).not.toContain('shadow-call-stack');
    expect(classOf('-ffixed-x18', 'arm64', '6.1.0', scs)).toBe('crash');
  });

  it('find the canary in the task, or go without', () => {
    const options = { STACKPROTECTOR: 'y', STACKPROTECTOR_STRONG: 'y', STACKPROTECTOR_PER_TASK: 'y' };
    expect(line('arm64', '6.1.0', options)).toContain(
      ' -fstack-protector-strong -mstack-protector-guard=sysreg -mstack-protector-guard-reg=sp_el0 -mstack-protector-guard-offset=1104 ',
    );
    const unknown = moduleFlags({ ...inputs('arm64', '6.1.0', options), stackCanaryOffset: undefined });
    const words = unknown.flags.flatMap(({ flags }) => flags);
    expect(words).toContain('-fno-stack-protector');
    expect(words).not.toContain('-fstack-protector-strong');
    expect(line('arm64', '6.1.0', {})).toContain(' -fno-stack-protector ');
  });

  it.each<[Options, string]>([
    [{ DYNAMIC_FTRACE_WITH_REGS: 'y' }, '2'],
    [{ DYNAMIC_FTRACE_WITH_ARGS: 'y' }, '2'],
    [{ DYNAMIC_FTRACE_WITH_ARGS: 'y', DYNAMIC_FTRACE_WITH_CALL_OPS: 'y' }, '4,2'],
  ])('leave room for ftrace: %j asks for %s', (options, room) => {
    expect(line('arm64', '6.6.0', options)).toContain(` -fpatchable-function-entry=${room} `);
  });

  it.each<[Options, string]>([
    [{}, ''],
    [{ KASAN_GENERIC: 'y' }, '3'],
    [{ KASAN_SW_TAGS: 'y' }, '4'],
    [{ KASAN_HW_TAGS: 'y' }, ''],
  ])('tell the headers the shadow of KASAN: %j is "%s"', (options, shift) => {
    expect(line('arm64', '6.1.0', options)).toContain(` -DKASAN_SHADOW_SCALE_SHIFT=${shift} `);
  });

  it('give the assembler the newest instructions that the kernel’s own had', () => {
    const options = { AS_HAS_ARMV8_2: 'y', AS_HAS_ARMV8_4: 'y' };
    expect(line('arm64', '6.1.0', options)).toContain(' -Wa,-march=armv8.4-a -DARM64_ASM_ARCH="armv8.4-a" ');
    expect(line('arm64', '5.4.0', {})).not.toContain('-Wa,-march');
  });
});

describe('flags of x86_64', () => {
  it('keep out of the red zone, vector registers and far addresses', () => {
    const flags = line('x86_64', '6.1.0', {});
    for (const flag of ['-mcmodel=kernel', '-mno-red-zone', '-mno-sse', '-mno-80387']) {
      expect(flags).toContain(` ${flag} `);
    }
    expect(classOf('-mno-red-zone', 'x86_64', '6.1.0', {})).toBe('crash');
    expect(classOf('-mcmodel=kernel', 'x86_64', '6.1.0', {})).toBe('load');
  });

  it.each([
    ['6.1.0', 'RETPOLINE'],
    ['6.12.0', 'MITIGATION_RETPOLINE'],
  ])('of %s go through retpolines with %s, as each compiler spells them', (kernel, option) => {
    expect(line('x86_64', kernel, { [option]: 'y' })).toContain(' -mretpoline-external-thunk ');
    expect(line('x86_64', kernel, { [option]: 'y' }, gcc)).toContain(
      ' -mindirect-branch=thunk-extern -mindirect-branch-register -fno-jump-tables ',
    );
  });

  it('leave room at thunks for what the kernel puts there, where it has retpolines', () => {
    const flag = ' -mindirect-branch-cs-prefix ';
    expect(line('x86_64', '6.1.0', { RETPOLINE: 'y' })).toContain(flag);
    expect(line('x86_64', '6.1.0', {})).not.toContain(flag);
  });

  it.each([
    [{ GENERIC_CPU: 'y' }, '-mtune=generic'],
    [{ MCORE2: 'y' }, '-march=core2'],
  ])('are for the processor of %j', (options, flag) => {
    expect(line('x86_64', '6.1.0', options)).toContain(` ${flag} `);
  });

  it('have landing pads with IBT, and none without', () => {
    expect(line('x86_64', '6.1.0', { X86_KERNEL_IBT: 'y' })).toContain(
      ' -fcf-protection=branch -fno-jump-tables ',
    );
    expect(line('x86_64', '6.1.0', {})).toContain(' -fcf-protection=none ');
  });

  it('pad functions, which kCFI relies on', () => {
    const options = { CALL_PADDING: 'y', FUNCTION_PADDING_BYTES: 16 };
    const flag = '-fpatchable-function-entry=16,16';
    expect(classOf(flag, 'x86_64', '6.6.0', options)).toBe('diag');
    expect(classOf(flag, 'x86_64', '6.6.0', { ...options, CFI_CLANG: 'y' })).toBe('crash');
    expect(line('x86_64', '6.6.0', {})).not.toContain('patchable');
  });

  it('name the new home of the canary from 6.15 on', () => {
    const options = { STACKPROTECTOR: 'y', STACKPROTECTOR_STRONG: 'y' };
    for (const compiler of [gcc, { kind: 'clang', version: 170000 } as const]) {
      expect(line('x86_64', '6.15.0', options, compiler)).toContain('guard-symbol=__ref_stack_chk_guard');
      expect(line('x86_64', '6.14.0', options, compiler)).not.toContain('guard-symbol');
    }
  });

  it('keep clang from the address spaces that headers of gcc’s kernels name', () => {
    const options = { CC_HAS_NAMED_AS: 'y', USE_X86_SEG_SUPPORT: 'y' };
    const first = (...compiler: FlagInputs['compiler'][]) =>
      moduleFlags(inputs('x86_64', '6.12.0', options, ...compiler)).afterKconfig;
    expect(first()).toEqual(['plain-percpu.h']);
    expect(first(gcc)).toEqual([]);
    expect(moduleFlags(inputs('x86_64', '6.12.0', {})).afterKconfig).toEqual([]);
  });

  it('have no canary of clang before 17 from 6.15 on, and say so', () => {
    const options = { STACKPROTECTOR: 'y' };
    expect(line('x86_64', '6.15.0', options)).toMatch(/ -fno-stack-protector (?!.*-fstack-protector)/);
    expect(line('x86_64', '6.14.0', options)).toContain(' -fstack-protector ');
    const { notes } = moduleFlags(inputs('x86_64', '6.15.0', options));
    expect(notes).toEqual([expect.stringMatching(/CONFIG_STACKPROTECTOR; clang before 17/)]);
    expect(moduleFlags(inputs('x86_64', '6.14.0', options)).notes).toEqual([]);
  });

  it('leave a call for ftrace at the start of each function, and have gcc list them', () => {
    const options = { FUNCTION_TRACER: 'y' };
    expect(line('x86_64', '6.1.0', options)).toMatch(/ -DCC_USING_FENTRY -pg -mfentry (?!-mrecord)/);
    expect(line('x86_64', '6.1.0', options, gcc)).toContain(' -pg -mfentry -mrecord-mcount ');
    expect(line('x86_64', '6.1.0', {})).not.toContain(' -pg ');
  });

  it('keep the exports of a module where the kernel’s headers would trim them: before 6.5', () => {
    const trimmed = { TRIM_UNUSED_KSYMS: 'y' };
    expect(moduleFlags(inputs('x86_64', '6.1.0', trimmed)).afterKconfig).toEqual(['keep-exports.h']);
    expect(moduleFlags(inputs('x86_64', '6.5.0', trimmed)).afterKconfig).toEqual([]);
    expect(moduleFlags(inputs('x86_64', '6.1.0', {})).afterKconfig).toEqual([]);
  });

  it('undo the jump labels that objtool would have to mend, and only those', () => {
    const header = ['plain-jump-labels.h'];
    expect(moduleFlags(inputs('x86_64', '6.1.0', { HAVE_JUMP_LABEL_HACK: 'y' })).afterKconfig).toEqual(
      header,
    );
    expect(moduleFlags(inputs('x86_64', '5.10.0', { JUMP_LABEL: 'y' })).afterKconfig).toEqual([]);
  });
});

describe('hardening', () => {
  it('checks indirect calls as the kernel does', () => {
    const options = { CFI_CLANG: 'y', CFI_ICALL_NORMALIZE_INTEGERS: 'y' };
    expect(line('arm64', '6.12.0', options)).toContain(
      ' -fsanitize=kcfi -fsanitize-cfi-icall-experimental-normalize-integers ',
    );
    expect(classOf('-fsanitize=kcfi', 'arm64', '6.1.0', { CFI_CLANG: 'y' })).toBe('crash');
    expect(line('arm64', '6.18.0', { CFI: 'y' })).toContain(' -fsanitize=kcfi ');
  });

  it('enables zeroing of locals in a clang that still asks for a promise', () => {
    const options = { INIT_STACK_ALL_ZERO: 'y' };
    expect(line('arm64', '6.1.0', options)).not.toContain('knowing-it-will-be-removed');
    expect(line('arm64', '6.1.0', options, { kind: 'clang', version: 140000 })).toContain(
      'knowing-it-will-be-removed',
    );
  });

  it('traps beyond arrays where the kernel traps, and only there', () => {
    const options = { UBSAN: 'y', UBSAN_ARRAY_BOUNDS: 'y' };
    expect(line('arm64', '6.1.0', { ...options, UBSAN_TRAP: 'y' })).toContain(' -fsanitize=array-bounds ');
    expect(line('arm64', '6.1.0', options)).not.toContain('-fsanitize=array-bounds');
    expect(moduleFlags(inputs('arm64', '6.1.0', options)).notes).toEqual([
      expect.stringContaining('CONFIG_UBSAN'),
    ]);
  });

  it('says which instrumentation is left out', () => {
    const { notes } = moduleFlags(inputs('arm64', '6.1.0', { KASAN_GENERIC: 'y', KCSAN: 'y' }));
    expect(notes).toHaveLength(2);
    expect(notes[0]).toMatch(/CONFIG_KASAN_GENERIC; the module is built without it/);
  });
});

describe('every flag', () => {
  it('of a kernel with everything on is named once, with a reason', () => {
    for (const arch of ['arm64', 'x86_64'] as const) {
      const options = {
        SHADOW_CALL_STACK: 'y',
        CFI_CLANG: 'y',
        X86_KERNEL_IBT: 'y',
        RETPOLINE: 'y',
        RETHUNK: 'y',
      };
      const { flags } = moduleFlags(inputs(arch, '6.1.0', options));
      const words = flags.filter((row) => row.for !== 'asm').flatMap((row) => row.flags);
      expect(new Set(words).size).toBe(words.length);
      expect(flags.filter(({ without }) => without === '')).toEqual([]);
    }
  });
});

describe('kernels that are refused', () => {
  it.each<[string, Options, RegExp]>([
    ['5.10.43', { CFI_CLANG: 'y', LTO_CLANG: 'y' }, /5\.10\.43-test .* link-time optimisation/],
    ['5.15.1', { CFI_CLANG: 'y' }, /before 6\.1/],
    ['6.1.0', { RANDSTRUCT: 'y' }, /CONFIG_RANDSTRUCT shuffles structures by a secret/],
    ['5.4.0', { GCC_PLUGIN_RANDSTRUCT: 'y' }, /CONFIG_GCC_PLUGIN_RANDSTRUCT/],
    ['4.19.1', {}, /older than 5\.2/],
  ])('%s with %j', (kernel, options, message) => {
    expect(() => moduleFlags(inputs('arm64', kernel, options))).toThrow(message);
  });

  it.each<[string, Options]>([
    ['5.10.43', { LTO_CLANG: 'y' }],
    ['6.1.0', { CFI_CLANG: 'y', RANDSTRUCT_NONE: 'y' }],
  ])('do not include %s with %j', (kernel, options) => {
    expect(moduleFlags(inputs('arm64', kernel, options)).flags.length).toBeGreaterThan(10);
  });
});
