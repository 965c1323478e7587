import { spawn } from 'node:child_process';

export interface MakeProcess {
  /** The command: `make`, `gmake`. */
  make: string;
  args: readonly string[];
  signal: AbortSignal;
  /** Hears all that is printed, in whole lines, as it comes. */
  onText?: (text: string) => void;
  environment?: NodeJS.ProcessEnv;
}

/** How a make ended: null is a signal. `output` is the end of what was printed. */
export interface MakeOutcome {
  status: number | null;
  output: string;
}

const KEPT_PIECES = 200;

/**
 * Runs make to its end, in English and without an input. Its children are in
 * its group, so that none goes on compiling after Ctrl-C.
 *
 * @throws the signal's reason
 */
export async function makeProcess(run: MakeProcess): Promise<MakeOutcome> {
  const { make, args, signal, onText, environment = process.env } = run;
  signal.throwIfAborted();
  const child = spawn(make, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: withoutOuterMake(environment),
    detached: true,
  });
  const stop = () => child.pid !== undefined && process.kill(-child.pid, 'SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  const tail: string[] = [];
  const hear = (text: string): void => {
    if (text === '') return;
    onText?.(text);
    tail.push(text);
    if (tail.length > KEPT_PIECES) tail.shift();
  };
  for (const stream of [child.stdout, child.stderr]) {
    let begun = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      const end = text.lastIndexOf('\n') + 1;
      if (end > 0) hear(begun + text.slice(0, end));
      begun = (end > 0 ? '' : begun) + text.slice(end);
    });
    stream.on('end', () => hear(begun));
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => signal.removeEventListener('abort', stop));
  signal.throwIfAborted();
  return { status, output: tail.join('') };
}

/** The line that says why, as far as one does: the first error, else what make says of it, else the last line. */
export function firstError({ status, output }: MakeOutcome): string {
  const lines = printedLines(output).filter((line) => !/^make(?:\[\d+\])?: (?:Entering|Leaving) /.test(line));
  const error =
    lines.find((line) => /\b(?:fatal )?error:/i.test(line)) ?? lines.find((line) => line.includes(' *** '));
  return (error ?? lines.at(-1) ?? `make ended with ${status ?? 'a signal'}`).trim();
}

/** The lines of an output that are not empty. */
export function printedLines(output: string): string[] {
  return output.split('\n').filter((line) => line.trim() !== '');
}

/** Variables of a make around kh must not steer this one. */
function withoutOuterMake(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...environment, MAKEFLAGS: undefined, MAKELEVEL: undefined, MFLAGS: undefined, LC_ALL: 'C' };
}
