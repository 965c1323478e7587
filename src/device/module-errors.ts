import { KhError, type ErrorCode } from '../core/errors';
import { BUILD_FOR_THIS, type ExplainedLine } from './kernel-messages';
import type { LoadedModuleRow } from './loaded-modules';
import type { ModuleAction, ModuleOutcome } from './module-action';
import type { Refusal } from './privilege';

/** Loading and unloading take root, which was refused. */
export function rootNeededError({ serial, verb, shown }: ModuleAction, refusals: Refusal[]): KhError {
  return new KhError('MODULE_DENIED', {
    serial,
    message: [`${verb}ing ${shown} takes root`, ...refusals.map(({ why }) => why)].join('; '),
    hint:
      refusals.length === 0
        ? 'Let kh climb to root with --privilege auto (adb root, then su).'
        : 'Only userdebug builds and rooted phones load modules: a user build does not.',
    details: { module: shown, refusals },
  });
}

/** A module of that name is in the kernel, and another cannot be. */
export function loadedError({ serial, module }: ModuleAction): KhError {
  return new KhError('MODULE_LOADED', {
    serial,
    message: `${module} is loaded already`,
    hint: `\`kh unload-module ${module}\` takes it out, so that another can be loaded.`,
    details: { module },
  });
}

export function notLoadedError({ serial, module }: ModuleAction, builtIn: boolean): KhError {
  return new KhError('MODULE_NOT_LOADED', {
    serial,
    message: builtIn ? `${module} is built into the kernel` : `${module} is not loaded`,
    hint: builtIn ? 'What is built in stays.' : `\`adb -s ${serial} shell lsmod\` lists what is loaded.`,
    details: { module, builtIn },
  });
}

/** The kernel keeps what is used, and what has no exit function. */
export function inUseError({ serial, module }: ModuleAction, row: LoadedModuleRow): KhError {
  const { references = 0, users, permanent } = row;
  const others = references - users.length;
  const by = [
    ...(users.length === 0 ? [] : [users.join(', ')]),
    ...(others > 0 ? [`${others} ${others === 1 ? 'user' : 'users'} that the kernel does not name`] : []),
  ];
  return new KhError('MODULE_IN_USE', {
    serial,
    message: permanent
      ? `${module} has no exit function: it stays until the device restarts`
      : `${module} is in use by ${by.join(' and by ')}`,
    hint: permanent
      ? 'Modules that are to be unloaded need module_exit().'
      : users.length === 0
        ? 'An open file, a device, a mount or a network interface holds it: close that first.'
        : `Unload ${users.join(', ')} first.`,
    details: { module, references, users, permanent },
  });
}

/** What is known of a module beforehand and may be why the kernel refuses it. */
export interface Suspicions {
  /** Modules that it depends on and that are not loaded. */
  missing: string[];
  /** The kernel that it was built for, where another one runs. */
  builtFor?: string;
}

/** The shell's exit code for a command that a signal ended: the kernel kills whoever meets an oops. */
const KILLED = 128;

/** The kernel said no, or its code went wrong on the way. Other drivers may have logged in between. */
export function refusedError(
  action: ModuleAction,
  { exitCode, output, log }: Omit<ModuleOutcome, 'row'>,
  suspicions: Suspicions = { missing: [] },
): KhError {
  const { serial, verb, shown, module } = action;
  const crashed = exitCode > KILLED;
  const candidates = log.filter(({ kind }) => kind === (crashed ? 'fault' : 'reason'));
  const reason = candidates.find(({ text }) => !crashed && text.includes(module)) ?? candidates[0];
  const said = reason?.text ?? (output || `exit code ${exitCode}`);
  const [code, what]: [ErrorCode, string] = crashed
    ? ['MODULE_CRASHED', `${verb}ing ${shown} went wrong inside the kernel`]
    : ['MODULE_REFUSED', `the kernel did not ${verb} ${shown}`];
  return new KhError(code, {
    serial,
    message: `${what}: ${said}`,
    hint: confirmed(suspicions, said) ?? hintOf(reason, output),
    details: { module, exitCode, output, log },
  });
}

/** Where what the kernel said fits what is known, that is the better explanation. */
function confirmed({ missing, builtFor }: Suspicions, said: string): string | undefined {
  if (missing.length > 0 && /Unknown symbol|No such file/i.test(said)) {
    return `It needs ${missing.join(', ')}, which is not loaded: load that first.`;
  }
  if (builtFor !== undefined && /module_layout|version magic|exec format/i.test(said)) {
    return `It was built for kernel ${builtFor}, and another one runs. ${BUILD_FOR_THIS}`;
  }
  return undefined;
}

function hintOf(reason: ExplainedLine | undefined, output: string): string {
  if (reason === undefined) return ERRNO_HINTS.find(([pattern]) => pattern.test(output))?.[1] ?? NO_REASON;
  const { meaning = '', whatToDo } = reason;
  const sentence = `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}.`;
  return whatToDo === undefined ? sentence : `${sentence} ${whatToDo}`;
}

const NO_REASON =
  "The loader took it, so the error is likely what the module's own init function returned: see what it checks.";

/** Where the kernel logged nothing, the errno that insmod prints is all there is. */
const ERRNO_HINTS: [pattern: RegExp, hint: string][] = [
  [
    /exec format error/i,
    'It is no module for this kernel: another processor, no checksums (CONFIG_MODVERSIONS), or headers of another kernel.',
  ],
  [/required key|key was rejected/i, 'This kernel loads only modules that are signed with a key it knows.'],
  [
    /operation not permitted|permission denied/i,
    'Loading is forbidden here even to root: SELinux (`adb shell dmesg | grep avc`), or /proc/sys/kernel/modules_disabled.',
  ],
  [/file exists/i, 'A module or built-in code of that name is there already, or the init function found so.'],
  [
    /cannot allocate memory/i,
    'The kernel has no memory for it, or per-CPU data of more than 8 KB is asked for.',
  ],
];

/**
 * What it means when the device went away, or fell silent, in the middle.
 *
 * @returns the error with what is likely and what to do; any other one as it is
 */
export function explainLoss(error: unknown, { verb, shown }: ModuleAction): unknown {
  if (!(error instanceof KhError) || (error.code !== 'DEVICE_LOST' && error.code !== 'TIMEOUT')) return error;
  const { code, reason, serial = '', details, cause } = error;
  return code === 'DEVICE_LOST'
    ? new KhError(code, {
        message: `${reason}: the kernel may have panicked`,
        hint: `Once it is back, \`adb -s ${serial} shell 'cat /sys/fs/pstore/*'\` (as root) shows its last words. GKI kernels panic on every oops (PANIC_ON_OOPS); a module without kCFI does it as its init function is called.`,
        serial,
        details,
        cause,
      })
    : new KhError(code, {
        message: reason,
        hint: `The ${verb === 'load' ? 'init' : 'exit'} function of ${shown} waits or loops: only a reboot ends it.`,
        serial,
        details,
        cause,
      });
}
