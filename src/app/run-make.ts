import { availableParallelism } from 'node:os';
import { KhError } from '../core/errors';
import type { Emit } from '../core/events';
import { diagnosticParser, type BuildDiagnostic } from '../kbuild/build-diagnostics';
import { firstError, makeProcess, printedLines, type MakeOutcome } from '../kbuild/make-process';

export interface MakeRun {
  make: string;
  kdir: string;
  source: string;
  /** Where objects go. */
  objects: string;
  /** Whether that is a copy of the source, and the kernel's own build works in it. */
  inCopy: boolean;
  /** Further words for make: `V=1`, `CONFIG_X=y`. */
  words: readonly string[];
  serial: string;
  signal: AbortSignal;
  emit: Emit;
}

/**
 * Builds a module's folder. What make and the compiler say is passed on
 * unaltered, line by line as it comes; where a copy is built, with the paths of
 * the module's own folder.
 *
 * @returns what they said of files and lines, as data
 * @throws KhError BUILD_FAILED with the same and the last lines, BUILD_BAD_PATH; or the signal's reason
 */
export async function runMake(run: MakeRun): Promise<BuildDiagnostic[]> {
  const { make, kdir, source, objects, inCopy, words, serial, signal, emit } = run;
  const places = inCopy ? [`M=${objects}`] : [`M=${source}`, `KH_OUT=${objects}`];
  const args = ['-C', kdir, ...places, `-j${availableParallelism()}`, ...words, 'modules'];
  const told = (text: string) => (inCopy ? text.replaceAll(objects, source) : text);
  const diagnostics: BuildDiagnostic[] = [];
  const parser = diagnosticParser(diagnostics);
  const onText = (printed: string) => {
    const text = told(printed);
    emit({ type: 'build.output', serial, text });
    parser.add(text);
  };
  const { status, output } = await makeProcess({ make, args, signal, onText });
  parser.end();
  if (status !== 0) throw failed(run, { status, output: told(output) }, diagnostics);
  return diagnostics;
}

function failed({ source }: MakeRun, outcome: MakeOutcome, diagnostics: BuildDiagnostic[]): KhError {
  const { status, output } = outcome;
  const badPath = /\*\*\* .*: (make cannot work in a folder with .+ in its path)/.exec(output)?.[1];
  if (badPath !== undefined) {
    return new KhError('BUILD_BAD_PATH', {
      message: `${source}: ${badPath}`,
      hint: 'Move it, or link to it from elsewhere.',
    });
  }
  return new KhError('BUILD_FAILED', {
    message: `${source} did not build: ${firstError(outcome)}`,
    hint: 'The compiler said more above. Run again with V=1 behind -- to see the commands.',
    details: { status, diagnostics, output: printedLines(output).slice(-40) },
  });
}
