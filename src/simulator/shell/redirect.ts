import { SystemCallError } from '../errno';
import { expandText } from './expand-words';
import type { Redirect } from './script-tree';
import type { Shell, Streams } from './shell';
import { CollectedOutput, NOWHERE, ShellInput, type ShellOutput } from './streams';

/** What the shell says of a file that it can't open for a command. */
export class RedirectError extends Error {}

/** The streams of a command, after its redirections. `finish` puts what was printed into files. */
export async function redirect(
  shell: Shell,
  redirects: readonly Redirect[],
  streams: Streams,
): Promise<{ streams: Streams; finish: () => void }> {
  const result = { ...streams };
  const finishers: (() => void)[] = [];
  for (const { operator, descriptor, target } of redirects) {
    const name = await expandText(target, shell);
    if (operator === '>&' || operator === '<&') {
      duplicate(result, descriptor, name);
    } else if (operator === '<') {
      result.stdin = openInput(shell, name);
    } else {
      const { output, finish } = openOutput(shell, name, operator === '>>');
      setOutput(result, descriptor, output);
      finishers.push(finish);
    }
  }
  return { streams: result, finish: () => finishers.forEach((finish) => finish()) };
}

function duplicate(streams: Streams, descriptor: number, source: string): void {
  if (source === '-') setOutput(streams, descriptor, NOWHERE);
  else if (source === '1') setOutput(streams, descriptor, streams.stdout);
  else if (source === '2') setOutput(streams, descriptor, streams.stderr);
  else throw new RedirectError(`>&${source}: bad file descriptor`);
}

function setOutput(streams: Streams, descriptor: number, output: ShellOutput): void {
  if (descriptor === 1) streams.stdout = output;
  if (descriptor === 2) streams.stderr = output;
}

function openInput(shell: Shell, name: string): ShellInput {
  try {
    return ShellInput.of(shell.device.files.read(shell.path(name), shell.uid));
  } catch (error) {
    throw asRedirectError(error, `can't open ${name}`);
  }
}

function openOutput(shell: Shell, name: string, append: boolean) {
  const path = shell.path(name);
  if (path === '/dev/null') return { output: NOWHERE, finish: () => undefined };
  const { files } = shell.device;
  const collected = new CollectedOutput();
  const write = (bytes: Buffer) => {
    try {
      files.write(path, bytes, shell.uid, 0o666 & ~0o022);
    } catch (error) {
      throw asRedirectError(error, `can't create ${name}`);
    }
  };
  const before = append && shell.exists(path) ? files.read(path, shell.uid) : Buffer.alloc(0);
  write(before);
  return { output: collected, finish: () => write(Buffer.concat([before, collected.bytes])) };
}

function asRedirectError(error: unknown, what: string): RedirectError {
  if (error instanceof SystemCallError) return new RedirectError(`${what}: ${error.message}`);
  throw error;
}
