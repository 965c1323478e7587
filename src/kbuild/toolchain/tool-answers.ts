import { open, mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { isErrno } from '../../core/errors';
import { runTool, type ToolRun } from './run-tool';

/** Asks a tool, as `runTool` does. */
export type AskTool = (
  command: readonly string[],
  args: readonly string[],
  signal: AbortSignal,
  environment?: NodeJS.ProcessEnv,
) => Promise<ToolRun>;

export interface ToolAnswers {
  ask: AskTool;
  /** Keeps what was asked since, for the next run; answers that were not asked for are dropped. */
  save: () => Promise<void>;
}

/**
 * What compilers and linkers said of themselves, kept in the file at `path`:
 * starting clang six times takes longer than a build with nothing to do.
 *
 * An answer holds as long as the program is the same file, by its place, size
 * and time. Scripts may start anything, so theirs are not kept; nor are
 * failures. A file that is damaged, or cannot be written, only costs time.
 */
export async function rememberAnswers(path: string): Promise<ToolAnswers> {
  const kept = parseAnswers(await readFile(path, 'utf8').catch(() => '{}'));
  const asked = new Map<string, string>();
  return {
    ask: async (command, args, signal, environment) => {
      const identity = await programIdentity(command, environment ?? process.env);
      if (identity === undefined) return runTool(command, args, signal, environment);
      const key = JSON.stringify([command, args, identity]);
      const known = kept.get(key);
      const run =
        known === undefined
          ? await runTool(command, args, signal, environment)
          : { status: 0, output: known, complaint: '' };
      if (run.status === 0) asked.set(key, run.output);
      return run;
    },
    save: async () => {
      if ([...asked.keys()].every((key) => kept.has(key))) return;
      try {
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, JSON.stringify(Object.fromEntries(asked)));
      } catch (error) {
        if (!isErrno(error, 'EACCES', 'EROFS', 'ENOSPC', 'EDQUOT')) throw error;
      }
    },
  };
}

function parseAnswers(text: string): Map<string, string> {
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return new Map();
    throw error;
  }
}

/** Of the command and of what it wraps (`ccache clang`); undefined where it cannot be told. */
async function programIdentity(
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const programs = command.filter((word) => !word.startsWith('-'));
  const identities = await Promise.all(programs.map((name) => fileIdentity(name, environment)));
  return identities.includes(undefined) ? undefined : identities.join(' ');
}

async function fileIdentity(name: string, { PATH = '' }: NodeJS.ProcessEnv): Promise<string | undefined> {
  const places = isAbsolute(name) ? [name] : PATH.split(delimiter).map((folder) => join(folder, name));
  for (const place of places) {
    try {
      const file = await realpath(place);
      const { size, mtimeMs } = await stat(file);
      return (await isScript(file)) ? undefined : `${file} ${size} ${mtimeMs}`;
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR', 'ELOOP')) throw error;
    }
  }
  return undefined;
}

async function isScript(file: string): Promise<boolean> {
  await using handle = await open(file);
  const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  return buffer.toString('latin1') === '#!';
}
