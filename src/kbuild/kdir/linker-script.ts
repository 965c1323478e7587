import { join } from 'node:path';
import { KhError } from '../../core/errors';
import type { KernelArch } from '../kernel-config';
import { runTool } from '../toolchain/run-tool';
import type { Toolchain } from '../toolchain/toolchain';
import { sourceArch } from './kernel-mk';

/**
 * The linker script for a kernel's modules: ours, with what the kernel's
 * headers add for its processor and configuration.
 *
 * @param template path of the script with its preprocessor lines
 * @throws KhError BUILD_BAD_HEADERS when the headers' part does not go through the preprocessor; or the signal's reason
 */
export async function moduleLinkerScript(
  template: string,
  {
    headersPath,
    arch,
    toolchain,
    signal,
  }: {
    headersPath: string;
    arch: KernelArch;
    toolchain: Pick<Toolchain, 'compiler'>;
    signal: AbortSignal;
  },
): Promise<string> {
  const own = `arch/${sourceArch(arch)}/include`;
  const folders = [
    own,
    `${own}/generated`,
    'include',
    `${own}/uapi`,
    'include/uapi',
    'include/generated/uapi',
  ];
  const args = [
    ...[
      '-E',
      '-P',
      '-x',
      'assembler-with-cpp',
      '-nostdinc',
      '-D__KERNEL__',
      '-D__ASSEMBLY__',
      '-DLINKER_SCRIPT',
    ],
    ...folders.map((folder) => `-I${join(headersPath, folder)}`),
    ...['-include', join(headersPath, 'include/linux/kconfig.h'), template],
  ];
  const { status, output, complaint } = await runTool(toolchain.compiler.command, args, signal);
  if (status === 0) return `${output.trim()}\n`;
  throw new KhError('BUILD_BAD_HEADERS', {
    message: `the linker script of the kernel's modules cannot be made: ${complaint.trim()}`,
    hint: 'Pull the headers again, with --force.',
    details: { headers: headersPath },
  });
}
