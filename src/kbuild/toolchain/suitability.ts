import { hasCfi } from '../flags/hardening-flags';
import type { Compiler } from '../flags/flag-plan';
import type { KernelConfig } from '../kernel-config';
import { majorVersion, versionText } from './toolchain';

/** The compiler that a kernel was built with, as its configuration tells; undefined where it tells none. */
export function kernelCompiler(config: KernelConfig): (Compiler & { text: string }) | undefined {
  const text = config.value('CC_VERSION_TEXT') ?? '';
  const clang = Number(config.value('CLANG_VERSION') ?? 0);
  if (config.isOn('CC_IS_CLANG')) return { kind: 'clang', version: clang, text };
  const gcc = Number(config.value('GCC_VERSION') ?? 0);
  return config.isOn('CC_IS_GCC') ? { kind: 'gcc', version: gcc, text } : undefined;
}

/** @returns why modules for this kernel cannot come from that compiler; undefined when they can */
export function whyUnsuitable(config: KernelConfig, { kind, version }: Compiler): string | undefined {
  if (!hasCfi({ config })) return undefined;
  const what =
    'the kernel checks the types of indirect calls (kCFI), and panics on what was compiled without';
  const own = kernelCompiler(config);
  // Before kCFI, which clang has since 16, any clang's CFI was of the same kind.
  if (kind === 'clang' && own?.kind === 'clang' && own.version > 0 && majorVersion(own.version) < 16)
    return undefined;
  if (kind === 'gcc') return config.isOn('CC_IS_GCC') ? undefined : `${what}: that takes clang`;
  return majorVersion(version) < 16 ? `${what}: that takes clang 16 or later` : undefined;
}

/** What is different from the kernel's own compiler, and works all the same: in sentences. */
export function differences(config: KernelConfig, { kind, version }: Compiler): string[] {
  const own = kernelCompiler(config);
  if (own === undefined) return [];
  const [ours, theirs] = [`${kind} ${versionText(version)}`, `${own.kind} ${versionText(own.version)}`];
  if (own.kind !== kind) return [`The kernel was built with ${theirs}; its modules are built with ${ours}.`];
  if (majorVersion(version) >= majorVersion(own.version)) return [];
  return [
    `The kernel was built with ${theirs}, which is newer than ${ours}: headers may need what this one lacks.`,
  ];
}
