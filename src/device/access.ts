import type { AdbDevice, CallOptions, CommandOutput } from '../adb/adb-device';
import type { Privilege } from '../core/events';
import { shellQuote } from './shell-quote';

/** How a device's su takes a command: `su 0 CMD…` (AOSP) or `su -c 'CMD'` (Magisk, KernelSU). */
export type SuDialect = 'aosp' | 'minus-c';

/** A device, and the rights with which its shell is used. */
export interface Access {
  readonly adb: AdbDevice;
  readonly privilege: Privilege;
  /** Set where `privilege` is `su`. */
  readonly dialect?: SuDialect;
  /** Whether the commands run as uid 0. */
  readonly root: boolean;
}

/** The command line that runs `commandLine` with the rights of `access`. */
export function commandLineFor(access: Access, commandLine: string): string {
  if (access.dialect === undefined) return commandLine;
  return access.dialect === 'aosp'
    ? `su 0 sh -c ${shellQuote(commandLine)}`
    : `su -c ${shellQuote(commandLine)}`;
}

/** Runs a command line with the rights of `access`. Throws as `AdbDevice.run` does. */
export function runWith(access: Access, commandLine: string, options: CallOptions): Promise<CommandOutput> {
  return access.adb.run(commandLineFor(access, commandLine), options);
}

/** stdout and stderr as one text, for messages. */
export function outputText(output: CommandOutput): string {
  return Buffer.concat([output.stdout, output.stderr]).toString('utf8').trim();
}
