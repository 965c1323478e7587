import { readElf } from '../elf/elf-file';
import { isAtLeast } from '../kernel-config';
import { readKernelTarget, type KernelTarget } from '../modpost/kernel-target';
import { readModInfo } from '../modpost/modinfo';
import type { SymversEntry } from '../symvers/symvers-file';

/** What a kernel wants of the modules that it loads. */
export interface LoaderExpectations {
  kernel: KernelTarget;
  /** As the kernel compares it: the release, then what of its configuration modules must share. */
  vermagic: string;
  /** The size of its `struct module`, in bytes; undefined when no module of this kernel was at hand. */
  thisModuleSize: number | undefined;
  /** Sections without which the loader refuses a module. */
  sections: string[];
  /** What the kernel and other modules export; undefined when that is not known. */
  exported: ReadonlyMap<string, SymversEntry> | undefined;
}

export interface ExpectationSources {
  /** The tree of the pulled archive. */
  headers: string;
  /** The kernel's exports, and those of the modules that the checked one builds on. */
  exported: Iterable<SymversEntry> | undefined;
  /** A module that this kernel is known to load, such as one from the device. */
  deviceModule?: { bytes: Buffer; path: string } | undefined;
  /** In bytes, where modules of the device told it before. */
  thisModuleSize?: number | undefined;
}

/**
 * Works out what a kernel wants, from its headers and, where there is one, a
 * module that it is known to load: the size of `struct module` and the
 * tail of the vermagic are taken from that.
 *
 * @throws KhError BUILD_BAD_HEADERS, BUILD_UNSUPPORTED, BUILD_BAD_OBJECT, STORE_*
 */
export function loaderExpectations({
  headers,
  exported,
  deviceModule,
  thisModuleSize,
}: ExpectationSources): LoaderExpectations {
  const kernel = readKernelTarget(headers);
  const sample = deviceModule === undefined ? undefined : readElf(deviceModule.bytes, deviceModule.path);
  const sampleMagic = sample && readModInfo(sample).get('vermagic')?.[0];
  return {
    kernel,
    vermagic:
      sampleMagic === undefined ? kernelVermagic(kernel) : kernel.version.release + vermagicTail(sampleMagic),
    thisModuleSize: sample?.section(THIS_MODULE)?.size ?? thisModuleSize,
    sections: requiredSections(kernel),
    exported: exported && new Map(Array.from(exported, (entry) => [entry.name, entry])),
  };
}

/** What follows the release, from the space on: modules of other builds of a kernel share it. */
export function vermagicTail(vermagic: string): string {
  const end = vermagic.indexOf(' ');
  return end === -1 ? '' : vermagic.slice(end);
}

export const THIS_MODULE = '.gnu.linkonce.this_module';

/**
 * The string that `VERMAGIC_STRING` is for a kernel. PREEMPT_BUILD is what
 * PREEMPT was before 5.16; RANDSTRUCT kernels, which add a hash, are not
 * built for.
 *
 * @see include/linux/vermagic.h and arch/.../include/asm/vermagic.h
 */
export function kernelVermagic({ arch, config, version }: KernelTarget): string {
  const preempt =
    config.isOn('PREEMPT_BUILD') || config.isOn('PREEMPT')
      ? 'preempt '
      : config.isOn('PREEMPT_RT')
        ? 'preempt_rt '
        : '';
  return [
    `${version.release} `,
    config.isOn('SMP') ? 'SMP ' : '',
    preempt,
    config.isOn('MODULE_UNLOAD') ? 'mod_unload ' : '',
    config.isOn('MODVERSIONS') ? 'modversions ' : '',
    arch === 'arm64' ? 'aarch64' : '',
  ].join('');
}

/**
 * The sections that arm64 wants for its jumps to far places, whether or not
 * a module has such.
 *
 * @see arch/arm64/kernel/module-plts.c (module_frob_arch_sections) and
 * arch/arm64/kernel/module.c (module_init_ftrace_plt)
 */
function requiredSections({ arch, config, version, headerText }: KernelTarget): string[] {
  if (arch !== 'arm64') return [];
  const withPlts = config.isOn('ARM64_MODULE_PLTS') || isAtLeast(version, 6, 5);
  const withTrampoline = withPlts && config.isOn('DYNAMIC_FTRACE');
  const script = headerText('arch/arm64/include/asm/module.lds.h');
  const initTrampoline = '.init.text.ftrace_trampoline';
  return [
    ...(withPlts ? ['.plt', '.init.plt'] : []),
    ...(withTrampoline ? ['.text.ftrace_trampoline'] : []),
    ...(withTrampoline && script.includes(initTrampoline) ? [initTrampoline] : []),
  ];
}
