import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { diskError } from '../../core/disk-error';
import { isErrno, KhError } from '../../core/errors';
import { printable } from '../../core/printable';
import { readKdirRecord } from '../kdir/kdir-record';
import { formatSymvers, parseSymvers, type SymversEntry } from '../symvers/symvers-file';
import type { CallSiteForm } from './call-sites';
import { formatDiagnostic, type Diagnostic } from './diagnostic';
import { readKernelSymbols } from './kernel-symbols';
import { readKernelTarget } from './kernel-target';
import { runModpost } from './run-modpost';

const USAGE =
  'usage: modpost --kdir DIR --output-symvers FILE [--extra-symbols FILE]... [--kallsyms FILE] [--call-sites calls|nops] [--warn] OBJECT...';

/**
 * What a kdir's Makefile runs, once for all modules of a build: writes
 * `X.mod.c` beside each `X.o`, and the build's own Module.symvers; with
 * `--call-sites` also `X.traceable.o`, which is `X.o` with a list for ftrace.
 * A file that would stay as it is is not touched. Nothing is written when
 * there is an error.
 *
 * @returns the exit code: 0; 1 for a module that must not be; 2 for wrong arguments
 */
export function main(argv: string[]): number {
  try {
    return run(argv);
  } catch (error) {
    if (!(error instanceof KhError)) throw error;
    say(`modpost: error: ${error.message}${error.hint === undefined ? '' : `. ${error.hint}`}`);
    return 1;
  }
}

function run(argv: string[]): number {
  const options = readArguments(argv);
  if (typeof options === 'string') {
    say(`modpost: error: ${printable(options)}\n${USAGE}`);
    return 2;
  }
  const record = readKdirRecord(options.kdir);
  const kernelExports = record.symvers === null ? undefined : readSymvers(record.symvers);
  const result = runModpost({
    objects: options.objects.map((path) => ({ path, bytes: readBytes(path) })),
    kernel: readKernelTarget(record.headers),
    kernelExports,
    extraExports: options.extraSymbols.flatMap(readSymvers),
    warnOnly: options.warn,
    callSites: options.callSites,
    kernelSymbols: () => readKernelSymbols(options.kallsyms ?? join(options.kdir, 'kallsyms')),
  });
  const diagnostics = [
    ...(kernelExports === undefined ? [noSymvers(options.kdir)] : []),
    ...result.diagnostics,
  ];
  for (const diagnostic of diagnostics) say(formatDiagnostic(diagnostic));
  if (diagnostics.some(({ severity }) => severity === 'error')) return 1;
  for (const [path, source] of result.sources) writeIfChanged(path.replace(/\.o$/, '.mod.c'), source);
  for (const [path, object] of result.traceable) writeIfChanged(path.replace(/\.o$/, '.traceable.o'), object);
  writeIfChanged(options.outputSymvers, formatSymvers(result.symvers));
  return 0;
}

interface Arguments {
  kdir: string;
  outputSymvers: string;
  extraSymbols: string[];
  kallsyms: string | undefined;
  callSites: CallSiteForm | undefined;
  warn: boolean;
  objects: string[];
}

/** @returns them, or what is wrong with them */
function readArguments(argv: string[]): Arguments | string {
  const parsed = parse(argv);
  if (typeof parsed === 'string') return parsed;
  const { values, positionals: objects } = parsed;
  const { kdir, 'output-symvers': outputSymvers, 'extra-symbols': extraSymbols, kallsyms, warn } = values;
  const { 'call-sites': callSites } = values;
  if (kdir === undefined || outputSymvers === undefined) return '--kdir and --output-symvers are needed';
  if (!isCallSiteForm(callSites)) return `--call-sites ${callSites} is neither calls nor nops`;
  const stranger = objects.find((path) => !path.endsWith('.o'));
  if (stranger !== undefined) return `${stranger} is no object (.o)`;
  return { kdir, outputSymvers, extraSymbols, kallsyms, callSites, warn, objects };
}

function isCallSiteForm(text: string | undefined): text is CallSiteForm | undefined {
  return text === undefined || text === 'calls' || text === 'nops';
}

/** @returns what is wrong, in Node's words, for what is no option */
function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        kdir: { type: 'string' },
        'output-symvers': { type: 'string' },
        'extra-symbols': { type: 'string', multiple: true, default: [] },
        kallsyms: { type: 'string' },
        'call-sites': { type: 'string' },
        warn: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    if (isErrno(error, 'ERR_PARSE_ARGS_UNKNOWN_OPTION', 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE'))
      return error.message;
    throw error;
  }
}

function readSymvers(path: string): SymversEntry[] {
  return parseSymvers(readBytes(path).toString('latin1'), path);
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw diskError(error, path);
  }
}

function noSymvers(kdir: string): Diagnostic {
  return {
    severity: 'warning',
    kind: 'no-symvers',
    file: kdir,
    text: 'it is not known what this kernel exports, so nothing that the modules use can be checked: see kh symvers',
  };
}

function writeIfChanged(path: string, content: string | Buffer): void {
  try {
    if (readFileSync(path).equals(Buffer.from(content))) return;
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  writeFileSync(path, content);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

if (require.main === module) process.exitCode = main(process.argv.slice(2));
