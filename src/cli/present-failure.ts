import type { KhError } from '../core/errors';
import { errorReport } from '../core/errors';
import { printable, printableJson } from '../core/printable';
import { palette, wantsColour } from '../ui/colour';
import { failureText } from '../ui/failure-text';
import { failureEnvelope, type Warning } from './envelope';

export interface FailureOptions {
  json: boolean;
  /** The document on one line, for commands that write lines of JSON. */
  line?: boolean;
  /** Also where it was thrown, and what caused it. */
  stack: boolean;
  warnings: Warning[];
}

/**
 * Ends a run that failed as a whole: the error on stderr, or the JSON
 * document on stdout, and its exit code in both cases.
 */
export function presentFailure(error: KhError, { json, line, stack, warnings }: FailureOptions): void {
  process.exitCode = error.exitCode;
  if (json) writeJson(failureEnvelope(error, warnings), line === true);
  else
    process.stderr.write(failureText(errorReport(error), palette(wantsColour(process.stderr, process.env))));
  if (stack && error.code !== 'USAGE')
    process.stderr.write(printable(stackOf(error), { multiline: true }) + '\n');
}

/** Writes the one document of a run. */
export function writeJson(document: object, line = false): void {
  process.stdout.write(printableJson(JSON.stringify(document, undefined, line ? 0 : 2)) + '\n');
}

function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by: ${stackOf(error.cause)}` : own;
}

/** Whether `--json` is among the arguments: known before, and even if, parsing fails. */
export function asksForJson(argv: readonly string[], env: NodeJS.ProcessEnv): boolean {
  return flagGiven(argv, '--json') || env['KH_CONTENT_TYPE'] === 'json';
}

/** Whether whoever runs kh looks for a fault: `--verbose`, or KH_DEBUG=1. */
export function asksForStack(argv: readonly string[], env: NodeJS.ProcessEnv): boolean {
  return flagGiven(argv, '--verbose') || env['KH_DEBUG'] === '1';
}

function flagGiven(argv: readonly string[], flag: string): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? argv.length : end).includes(flag);
}
