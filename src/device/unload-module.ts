import type { Work } from '../core/work';
import type { Access } from './access';
import type { ExplainedLine } from './kernel-messages';
import { askKernel, type ModuleAction } from './module-action';
import { inUseError, refusedError } from './module-errors';
import { shellQuote } from './shell-quote';

/**
 * Unloads a module, and gives what the kernel logged of it.
 *
 * @param access root's
 * @param module its name, as /proc/modules has it
 * @throws KhError MODULE_IN_USE, MODULE_REFUSED, MODULE_CRASHED; DEVICE_LOST and TIMEOUT with what that may
 *   mean here; or the signal's reason
 */
export async function removeModule(access: Access, module: string, work: Work): Promise<ExplainedLine[]> {
  const action: ModuleAction = { serial: access.adb.serial, verb: 'unload', module, shown: module };
  const outcome = await askKernel(access, action, `rmmod ${shellQuote(module)} 2>&1`, work);
  const { exitCode, log, row } = outcome;
  if (exitCode === 0) return log;
  const error = refusedError(action, outcome);
  const isHeld = row !== undefined && (row.permanent || (row.references ?? 0) > 0);
  throw isHeld && error.code === 'MODULE_REFUSED' ? inUseError(action, row) : error;
}
