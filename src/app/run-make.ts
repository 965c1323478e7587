import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { KhError } from '../core/errors';
import type { Emit } from '../core/events';

export interface MakeRun {
  make: string;
  kdir: string;
  source: string;
  /** Where objects go. */
  out: string;
  /** Further words for make: `V=1`, `CONFIG_X=y`. */
  words: readonly string[];
  serial: string;
  signal: AbortSignal;
  emit: Emit;
}

/**
 * Builds a module's folder. What make and the compiler say is passed on
 * unaltered, line by line as it comes.
 *
 * @throws KhError BUILD_FAILED with the last lines, BUILD_BAD_PATH; or the signal's reason
 */
export async function runMake(run: MakeRun): Promise<void> {
  const { make, kdir, source, out, words, serial, signal, emit } = run;
  signal.throwIfAborted();
  const args = [
    '-C',
    kdir,
    `M=${source}`,
    `KH_OUT=${out}`,
    `-j${availableParallelism()}`,
    ...words,
    'modules',
  ];
  const child = spawn(make, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: cleanEnvironment(),
    detached: true,
  });
  // make's children are in its group, so that none goes on compiling after Ctrl-C.
  const stop = () => child.pid !== undefined && process.kill(-child.pid, 'SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      emit({ type: 'build.output', serial, text });
      tail.push(text);
      if (tail.length > 200) tail.shift();
    });
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => signal.removeEventListener('abort', stop));
  signal.throwIfAborted();
  if (status !== 0) throw failed(run, tail.join(''), status);
}

/** Variables of a make around kh must not steer this one. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, MAKEFLAGS: undefined, MAKELEVEL: undefined, MFLAGS: undefined, LC_ALL: 'C' };
}

function failed({ source }: MakeRun, output: string, status: number | null): KhError {
  const badPath = /\*\*\* .*: (make cannot work in a folder with .+ in its path)/.exec(output)?.[1];
  if (badPath !== undefined) {
    return new KhError('BUILD_BAD_PATH', {
      message: `${source}: ${badPath}`,
      hint: 'Move it, or link to it from elsewhere.',
    });
  }
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const first =
    lines.find((line) => /\b(?:fatal )?error:/.test(line)) ??
    lines.at(-1) ??
    `make ended with ${status ?? 'a signal'}`;
  return new KhError('BUILD_FAILED', {
    message: `${source} did not build: ${first.trim()}`,
    hint: 'The compiler said more above. Run again with V=1 behind -- to see the commands.',
    details: { status, output: lines.slice(-40) },
  });
}
