import { KhError } from '../core/errors';
import type { Privilege } from '../core/events';
import type { ExplainedLine } from '../device/kernel-messages';
import { isModuleName, moduleNameOf } from '../device/loaded-modules';
import type { ModuleAction } from '../device/module-action';
import { inUseError, notLoadedError } from '../device/module-errors';
import type { PrivilegeChoice } from '../device/privilege';
import { removeModule } from '../device/unload-module';
import type { AttachedDevice, Context } from './context';
import { lookAt } from './load-module';

/** A module that was unloaded. */
export interface UnloadedModule {
  module: string;
  /** With which rights. */
  privilege: Privilege;
  /** What the kernel logged meanwhile. */
  log: ExplainedLine[];
}

/**
 * The module that a user means, by its name or by its file's.
 *
 * @throws KhError USAGE where no module can be called so
 */
export function parseModuleName(text: string): string {
  const module = moduleNameOf(text);
  if (isModuleName(module)) return module;
  throw new KhError('USAGE', {
    message: `${JSON.stringify(text)} is no module's name`,
    hint: 'Names are those that lsmod shows: letters, digits and underscores.',
  });
}

/**
 * Unloads a module from the kernel of a device, whoever loaded it.
 *
 * @throws KhError MODULE_*, DEVICE_LOST, TIMEOUT; or the signal's reason
 */
export async function unloadModule(
  device: AttachedDevice,
  module: string,
  { privilege }: { privilege: PrivilegeChoice },
  context: Context,
): Promise<UnloadedModule> {
  const { serial } = device.adb;
  const action: ModuleAction = { serial, verb: 'unload', module, shown: module };
  const { state, asRoot } = await lookAt(device, action, privilege, context);
  const row = state.loaded.find(({ name }) => name === module);
  if (row === undefined) throw notLoadedError(action, state.builtIn);
  if (row.permanent || row.users.length > 0) throw inUseError(action, row);
  const access = await asRoot();
  const log = await removeModule(access, module, context);
  context.emit({ type: 'module.removed', serial, module });
  return { module, privilege: access.privilege, log };
}
