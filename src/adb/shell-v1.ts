import { randomBytes } from 'node:crypto';
import type { CommandOutput } from './adb-device';
import { ConnectionLost, type AdbSocket } from './adb-socket';
import { collectedOutput } from './collected-output';

/** A command line in the form for devices without shell_v2, and the mark that ends its output. */
export interface MarkedCommand {
  service: string;
  mark: string;
}

/**
 * `shell:` carries no exit code and closes when the command ends, or when
 * the device is lost. The command therefore runs in a shell of its own, where
 * neither `exit` nor a syntax error can keep the outer one from printing the
 * mark and the exit code. stdin is empty, as with shell_v2.
 */
export function markedCommand(commandLine: string): MarkedCommand {
  const mark = `@${randomBytes(8).toString('hex')}:`;
  const quoted = `'${commandLine.replaceAll("'", `'\\''`)}'`;
  return { service: `shell:sh -c ${quoted} </dev/null; echo "${mark}$?"`, mark };
}

/**
 * Collects the output, in which stdout and stderr are one.
 *
 * Before Android 7 a terminal stands between, and makes each line end a
 * CR LF. How the mark's own line ends tells whether that is so here; only
 * then the line ends are put back.
 *
 * @param mostOutput bytes that may be collected
 * @throws ConnectionLost when the mark did not come; KhError REMOTE_COMMAND_FAILED
 */
export async function collectShellV1(
  socket: AdbSocket,
  mark: string,
  mostOutput?: number,
): Promise<CommandOutput> {
  const output = collectedOutput(mostOutput);
  for (let chunk = await socket.readSome(); chunk !== undefined; chunk = await socket.readSome()) {
    output.add('stdout', chunk);
  }
  const all = output.take('stdout');
  const end = all.lastIndexOf(mark);
  const [, exitCode, returns] = /^(\d{1,3})(\r*)\n$/.exec(end < 0 ? '' : tail(all, end + mark.length)) ?? [];
  if (exitCode === undefined || returns === undefined) {
    throw new ConnectionLost('the shell closed before the command ended');
  }
  const stdout = withLineEnds(all.subarray(0, end), returns);
  return { exitCode: Number(exitCode), stdout, stderr: Buffer.alloc(0), merged: true };
}

function tail(all: Buffer, start: number): string {
  return all.subarray(start, start + 16).toString('latin1');
}

function withLineEnds(output: Buffer, returns: string): Buffer {
  if (returns === '') return output;
  return Buffer.from(output.toString('latin1').replaceAll(`${returns}\n`, '\n'), 'latin1');
}
