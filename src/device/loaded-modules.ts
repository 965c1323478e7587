import type { CallOptions } from '../adb/adb-device';
import { runWith, type Access } from './access';
import { script } from './script';
import { shellQuote } from './shell-quote';

/** A line of /proc/modules. */
export interface LoadedModuleRow {
  name: string;
  /** Of its memory. */
  bytes: number;
  /** How many use it, other modules among them; undefined on kernels that unload nothing. */
  references: number | undefined;
  /** The modules that use it. */
  users: string[];
  /** It has no exit function: only a reboot removes it. */
  permanent: boolean;
  /** `Live`, `Loading` or `Unloading`. */
  state: string;
}

/**
 * The modules that a kernel has loaded; lines that are none are left out.
 *
 * @param text of /proc/modules
 * @see linux kernel/module/procfs.c
 */
export function parseLoadedModules(text: string): LoadedModuleRow[] {
  return text.split('\n').flatMap((line) => {
    const [name, bytes, references, users, state] = line.split(' ');
    if (name === undefined || !isModuleName(name) || !/^\d+$/.test(bytes ?? '') || state === undefined) {
      return [];
    }
    const named = (users ?? '').split(',').filter((user) => user !== '' && user !== '-');
    return [
      {
        name,
        bytes: Number(bytes),
        references: /^\d+$/.test(references ?? '') ? Number(references) : undefined,
        users: named.filter(isModuleName),
        permanent: named.includes('[permanent]'),
        state,
      },
    ];
  });
}

/** What a kernel may call a module: C identifiers, of at most 55 bytes. */
export function isModuleName(text: string): boolean {
  return /^[A-Za-z0-9_]{1,55}$/.test(text);
}

/** The name under which the kernel knows a module, from that or from its file: `/tmp/foo-bar.ko` is `foo_bar`. */
export function moduleNameOf(text: string): string {
  return text.replace(/^.*\//, '').replace(/\.ko$/, '').replaceAll('-', '_');
}

/** What is to be known before a module is loaded or unloaded. */
export interface ModuleState {
  /** Whether the commands run as uid 0. */
  root: boolean;
  /** `uname -r` */
  release: string;
  loaded: LoadedModuleRow[];
  /** Whether code of that name is part of the kernel itself. */
  builtIn: boolean;
}

/** Asks, in one round trip, what is loaded and what is known of the module `name`. */
export async function askModuleState(
  access: Access,
  name: string,
  options: CallOptions,
): Promise<ModuleState> {
  const questions = script({
    release: 'uname -r',
    uid: 'echo ${USER_ID:-$(id -u)}',
    modules: 'cat /proc/modules 2>/dev/null',
    known: `if [ -e ${shellQuote(`/sys/module/${name}`)} ]; then echo yes; fi`,
  });
  const answers = questions.parse((await runWith(access, questions.commandLine, options)).stdout);
  const loaded = parseLoadedModules(answers.get('modules') ?? '');
  return {
    release: answers.get('release') ?? '',
    root: answers.get('uid') === '0',
    loaded,
    builtIn: answers.get('known') === 'yes' && !loaded.some((row) => row.name === name),
  };
}
