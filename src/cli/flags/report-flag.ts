import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CLIError } from '@oclif/core/errors';
import * as Flags from '@oclif/core/flags';

/** For commands that do the same on several devices or workspaces: where a report of it goes. */
export const reportFlag = {
  report: Flags.custom({
    summary: 'Write a report for CI systems: junit=FILE, with a test case for each device.',
    parse: (input) => Promise.resolve(reportPath(input)),
    helpValue: 'junit=FILE',
  })(),
};

/** Found out before the work, which may take long. */
function reportPath(input: string): string {
  const [, file] = /^junit=(.+)$/s.exec(input) ?? [];
  if (file === undefined) throw new CLIError(`${input} is no report that kh writes: give junit=FILE`);
  const path = resolve(file);
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch {
    throw new CLIError(`no report can be written to ${path}: there is no such folder, or it is not yours`);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new CLIError(`no report can be written to ${path}: it is a folder`);
  }
  return path;
}
