import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KhError } from '../../core/errors';
import type { KernelArch } from '../kernel-config';
import { runTool } from '../toolchain/run-tool';
import type { Toolchain } from '../toolchain/toolchain';
import { sourceArch } from './kernel-mk';

export interface LinkerScriptInputs {
  /** Never changed in place: other headers have another path. */
  headersPath: string;
  arch: KernelArch;
  toolchain: Pick<Toolchain, 'compiler'>;
  signal: AbortSignal;
}

/**
 * The linker script for a kernel's modules: ours, with what the kernel's
 * headers add for its processor and configuration.
 *
 * @param template path of the script with its preprocessor lines
 * @param present the script that is there from before: it is taken where it was made of the same
 * @throws KhError BUILD_BAD_HEADERS when the headers' part does not go through the preprocessor; or the signal's reason
 */
export async function moduleLinkerScript(
  template: string,
  present: string | undefined,
  inputs: LinkerScriptInputs,
): Promise<string> {
  const { command, text: compiler } = inputs.toolchain.compiler;
  const words = preprocessorWords(template, inputs);
  const origin = [compiler, ...command, ...words, await readFile(template, 'utf8')];
  const head = `/* Of ${createHash('sha256').update(origin.join('\0')).digest('hex')} */`;
  if (present?.startsWith(`${head}\n`)) return present;
  const { status, output, complaint } = await runTool(command, words, inputs.signal);
  if (status === 0) return `${head}\n${output.trim()}\n`;
  throw new KhError('BUILD_BAD_HEADERS', {
    message: `the linker script of the kernel's modules cannot be made: ${complaint.trim()}`,
    hint: 'Pull the headers again, with --force.',
    details: { headers: inputs.headersPath },
  });
}

function preprocessorWords(template: string, { headersPath, arch }: LinkerScriptInputs): string[] {
  const own = `arch/${sourceArch(arch)}/include`;
  const folders = [
    own,
    `${own}/generated`,
    'include',
    `${own}/uapi`,
    'include/uapi',
    'include/generated/uapi',
  ];
  return [
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
}
