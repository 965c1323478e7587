import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../core/disk-error';
import { parseAutoconf } from '../kbuild/kernel-config';

/** What an extracted archive says of the kernel's configuration and processor. */
export interface HeadersTree {
  autoconf: string;
  /** The folder below `arch/`. */
  arch: string;
}

/** @throws KhError STORE_* */
export async function describeTree(treePath: string): Promise<HeadersTree> {
  try {
    const autoconf = await readFile(join(treePath, 'include/generated/autoconf.h'), 'latin1');
    const [arch = ''] = await readdir(join(treePath, 'arch'));
    return { autoconf, arch };
  } catch (error) {
    throw diskError(error, treePath);
  }
}

/** As `uname -m` says on such a kernel. */
export function machineOf({ autoconf, arch }: HeadersTree): { machine: string; arch: string } {
  const config = parseAutoconf(autoconf);
  const is64 = config.isOn('64BIT');
  const machines: Record<string, string> = {
    arm64: 'aarch64',
    x86: is64 || config.isOn('X86_64') ? 'x86_64' : 'i686',
    arm: 'armv7l',
    riscv: is64 ? 'riscv64' : 'riscv32',
  };
  return { machine: machines[arch] ?? arch, arch };
}
