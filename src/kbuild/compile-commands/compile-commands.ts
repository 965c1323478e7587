import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { diskError } from '../../core/disk-error';
import { isErrno } from '../../core/errors';
import { replaceFile } from '../../core/replace-file';
import { shellWords } from './shell-words';

/** How one source is compiled: an entry of compile_commands.json. */
export interface CompileCommand {
  /** Where the compiler runs, absolute: what relative paths in `arguments` count from. */
  directory: string;
  arguments: string[];
  /** Absolute. */
  file: string;
  output: string;
}

/**
 * How each object of the last build's modules was made, whether or not that
 * build had anything to do: each has its command beside it. Objects that were
 * not compiled (`X.o_shipped`) have none.
 *
 * @param objects the folder of the build, with its modules.order
 * @param kdir where make ran
 * @throws KhError STORE_*
 */
export function compileCommands(objects: string, kdir: string): CompileCommand[] {
  const modules = listed(join(objects, 'modules.order'));
  const parts = modules.flatMap((module) => {
    const object = module.replace(/\.[^./]+$/, '.o');
    return commandOf(object, kdir) === undefined ? listed(recordPath(object, 'list')) : [object];
  });
  return [...new Set(parts)].flatMap((object) => commandOf(object, kdir) ?? []);
}

/**
 * Writes the commands as clangd and others look for them. A file that would
 * stay as it is is not touched.
 *
 * @throws KhError STORE_*
 * @see https://clang.llvm.org/docs/JSONCompilationDatabase.html
 */
export function writeCompileCommands(path: string, commands: readonly CompileCommand[]): void {
  const text = `${JSON.stringify(commands, undefined, 2)}\n`;
  if (readIfThere(path) !== text) replaceFile(path, text);
}

/** Undefined for an object that no compiler made: the Makefiles' compile commands end with `-c -o OBJECT SOURCE`. */
function commandOf(object: string, directory: string): CompileCommand | undefined {
  const words = shellWords(readIfThere(recordPath(object, 'cmd')) ?? '');
  const [compile, out, output, source] = words.slice(-4);
  if (compile !== '-c' || out !== '-o' || output !== object || source === undefined) return undefined;
  return { directory, arguments: withoutDependencies(words), file: resolve(directory, source), output };
}

/** Whoever reads the list runs the commands again, and must not write over what make goes by. */
function withoutDependencies(words: string[]): string[] {
  return words.filter(
    (word, index) =>
      !['-MMD', '-MP', '-MF', '-MT'].includes(word) && !['-MF', '-MT'].includes(words[index - 1] ?? ''),
  );
}

/** Beside `x.o`: `.x.o.cmd` is how it was made, `.x.o.list` what it was linked from. */
function recordPath(object: string, kind: 'cmd' | 'list'): string {
  return join(dirname(object), `.${basename(object)}.${kind}`);
}

function listed(path: string): string[] {
  return (readIfThere(path) ?? '').split(/\s+/).filter((word) => word !== '');
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw diskError(error, path);
  }
}
