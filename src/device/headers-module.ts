import { posix } from 'node:path';
import type { CallOptions } from '../adb/adb-device';
import { KhError } from '../core/errors';
import { runWith, type Access } from './access';
import { script } from './script';
import { shellQuote } from './shell-quote';

/** `kheaders` in the first column of /proc/modules. */
const IS_LOADED = 'grep -q "^kheaders " /proc/modules';

/** Whether the module is loaded, by whomever. */
export async function isModuleLoaded(access: Access, options: CallOptions): Promise<boolean> {
  return (await runWith(access, IS_LOADED, options)).exitCode === 0;
}

/**
 * Loads the module `kheaders` from `path`: by modprobe with the folder that
 * Android's wants named (11 and later), by modprobe without (8 to 10), by
 * insmod; whichever is first to make it appear in /proc/modules.
 *
 * @returns `was-loaded` when someone else's load came first
 * @throws KhError HEADERS_MODULE_UNLOADABLE with all that the three said, and the kernel's own last words;
 *   REMOTE_COMMAND_FAILED where it is not known what came of it
 */
export async function loadHeadersModule(
  access: Access,
  path: string,
  options: CallOptions,
): Promise<'loaded' | 'was-loaded'> {
  const questions = script({
    before: `if ${IS_LOADED}; then echo yes; fi`,
    attempts: loadCommands(path)
      .map((command) => `${IS_LOADED} || ${command} 2>&1`)
      .join('\n'),
    after: `if ${IS_LOADED}; then echo yes; fi`,
    log: `${IS_LOADED} || dmesg 2>/dev/null | grep -i kheaders | tail -n 3`,
  });
  const answers = questions.parse((await runWith(access, questions.commandLine, options)).stdout);
  if (answers.get('before') === 'yes') return 'was-loaded';
  if (answers.get('after') === 'yes') return 'loaded';
  if (!answers.has('log')) {
    throw new KhError('REMOTE_COMMAND_FAILED', {
      serial: access.adb.serial,
      message: `the device's shell broke off while loading ${path}`,
      hint: 'Try again; if it goes on, `adb shell dmesg | tail` may tell why.',
    });
  }
  throw notLoadable(access.adb.serial, path, answers.get('attempts') ?? '', answers.get('log') ?? '');
}

/** modprobe needs the folder of modules.dep, which sits beside the module or above it. */
function loadCommands(path: string): string[] {
  const folders = [];
  for (let folder = posix.dirname(path); folder.includes('/lib/modules'); folder = posix.dirname(folder)) {
    folders.push(folder);
  }
  return [
    ...folders.map((folder) => {
      const quoted = shellQuote(folder);
      return `{ [ ! -e ${quoted}/modules.dep ] || modprobe -d ${quoted} kheaders; }`;
    }),
    'modprobe kheaders',
    `insmod ${shellQuote(path)}`,
  ];
}

function notLoadable(serial: string, path: string, attempts: string, log: string): KhError {
  const lines = [...new Set([...attempts.split('\n'), ...log.split('\n')])].filter(
    (line) => line.trim() !== '',
  );
  return new KhError('HEADERS_MODULE_UNLOADABLE', {
    serial,
    message: `the headers are in ${path}, but the kernel did not take it: ${lines.join('; ') || 'no reason given'}`,
    hint: loadingHint(attempts + log),
    details: { path, output: lines },
  });
}

function loadingHint(said: string): string {
  if (/exec format|version magic|disagrees|invalid module/i.test(said)) {
    return 'This module belongs to another kernel: flash the system_dlkm image of the kernel that runs.';
  }
  if (/required key|key was rejected|verification/i.test(said)) {
    return 'This kernel loads signed modules only: flash the system_dlkm image that was built with it.';
  }
  if (/not permitted|permission denied/i.test(said)) {
    return 'Loading is forbidden here even to root (SELinux, or modules_disabled): see `adb shell dmesg | grep avc`.';
  }
  return 'See what the kernel logged: `adb shell dmesg | tail`.';
}

/**
 * Unloads the module, unless someone has the archive open: the kernel would
 * cut such a reader off in the middle. A reader of ours that was just ended
 * may still be closing its file, hence the short wait.
 *
 * @returns why the module was left, or undefined when it is gone
 */
export async function unloadHeadersModule(access: Access, options: CallOptions): Promise<string | undefined> {
  const questions = script({
    readers: [
      'for try in 1 2 3 4 5 6 7 8; do',
      "if ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q 'kheaders\\.tar\\.xz$'; then busy=yes; sleep 0.1; else busy=; break; fi",
      'done; echo $busy',
    ].join('\n'),
    removal: `if [ -z "$busy" ] && ${IS_LOADED}; then rmmod kheaders 2>&1; fi`,
    after: `if ${IS_LOADED}; then echo yes; fi`,
  });
  const answers = questions.parse((await runWith(access, questions.commandLine, options)).stdout);
  if (answers.get('readers') === 'yes') return 'another process is reading the archive';
  if (answers.get('after') === '') return undefined;
  return answers.get('removal') || 'the device did not say';
}
