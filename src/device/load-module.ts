import { randomBytes } from 'node:crypto';
import { asKhError } from '../core/errors';
import type { Work } from '../core/work';
import { runWith, type Access } from './access';
import { bounds } from './bounds';
import type { ExplainedLine } from './kernel-messages';
import { askKernel, type ModuleAction } from './module-action';
import { loadedError, refusedError, type Suspicions } from './module-errors';
import { shellQuote } from './shell-quote';

/** A module that is to be loaded. */
export interface ModuleToLoad {
  /** Its own name, as /proc/modules will have it. */
  module: string;
  /** What the user calls it, for messages. */
  shown: string;
  bytes: Buffer;
  /** As `kernelParameters` gives them. */
  parameters: string[];
  suspicions: Suspicions;
}

/** A folder that the shell user may write to on every device. */
const FOLDER = '/data/local/tmp';

/** How insmod sees the file, which has no name any more. */
const STDIN = '/proc/self/fd/0';

/**
 * Loads a module from this machine, and gives what the kernel logged of it.
 *
 * Its file on the device has lost its name before the kernel reads it: not
 * even a kernel that panics on it leaves it behind.
 *
 * @param access root's
 * @throws KhError MODULE_LOADED, MODULE_REFUSED, MODULE_CRASHED; DEVICE_LOST and TIMEOUT with what that may
 *   mean here; REMOTE_* when the file cannot be put on the device; or the signal's reason
 */
export async function insertModule(access: Access, ko: ModuleToLoad, work: Work): Promise<ExplainedLine[]> {
  const { adb } = access;
  const { module, shown } = ko;
  const action: ModuleAction = { serial: adb.serial, verb: 'load', module, shown };
  const path = `${FOLDER}/kh-${randomBytes(8).toString('hex')}.ko`;
  const insmod = `{ rm -f ${path}; ${['insmod', STDIN, ...ko.parameters.map(shellQuote)].join(' ')}; } 2>&1 <${path}`;
  let mayBeLeft = true;
  try {
    await adb.send(path, 0o400, [ko.bytes], bounds(work, `putting ${shown} on the device`));
    const { output, ...outcome } = await askKernel(access, action, insmod, work);
    mayBeLeft = false;
    if (outcome.exitCode === 0) return outcome.log;
    const wasThere = outcome.row?.state === 'Live' && /file exists/i.test(output);
    throw wasThere
      ? loadedError(action)
      : refusedError(action, { ...outcome, output: output.replaceAll(STDIN, shown) }, ko.suspicions);
  } finally {
    if (mayBeLeft) await remove(access, path, work);
  }
}

/** Under a time limit of its own, as the signal may have fired; never throws, as it must not hide why the work ended. */
async function remove(access: Access, path: string, work: Work): Promise<void> {
  const cleanup: Work = { ...work, signal: AbortSignal.timeout(work.times.cleanup) };
  try {
    await runWith(access, `rm -f ${path}`, bounds(cleanup, `removing ${path}`));
  } catch (error) {
    const message = `${path} may be left on the device: ${asKhError(error).reason}`;
    work.emit({ type: 'warning', serial: access.adb.serial, message });
  }
}
