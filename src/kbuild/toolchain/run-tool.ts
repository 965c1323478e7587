import { execFile } from 'node:child_process';
import { isErrno } from '../../core/errors';

const LONGEST_RUN = 60_000;

/** How a tool of this machine ended. `status` is undefined when it is not there or may not be run. */
export interface ToolRun {
  status: number | undefined;
  output: string;
  complaint: string;
}

/**
 * Runs a compiler or linker to its end, in English, without an input.
 *
 * @param command the words of it: a wrapper such as ccache may be in front
 * @param environment whose PATH finds it
 * @throws the signal's reason
 */
export function runTool(
  command: readonly string[],
  args: readonly string[],
  signal: AbortSignal,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<ToolRun> {
  const [program = '', ...before] = command;
  const options = { signal, timeout: LONGEST_RUN, env: { ...environment, LC_ALL: 'C' } };
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...before, ...args], options, (error, output, complaint) => {
      if (signal.aborted) reject(signal.reason as Error);
      else if (isErrno(error, 'ENOENT', 'EACCES', 'ENOTDIR'))
        resolve({ status: undefined, output, complaint });
      else resolve({ status: error === null ? 0 : exitStatus(error), output, complaint });
    });
    child.stdin?.end();
  });
}

/** Killed by a signal counts as failed. */
function exitStatus({ code }: { code?: unknown }): number {
  return typeof code === 'number' ? code : 1;
}
