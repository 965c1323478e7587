import type { Privilege } from '../core/events';
import type { Access } from '../device/access';
import { bounds } from '../device/bounds';
import type { ExplainedLine } from '../device/kernel-messages';
import { insertModule } from '../device/load-module';
import { askModuleState, type ModuleState } from '../device/loaded-modules';
import type { ModuleAction } from '../device/module-action';
import { kernelParameters } from '../device/module-parameters';
import { loadedError, rootNeededError, type Suspicions } from '../device/module-errors';
import type { PrivilegeChoice } from '../device/privilege';
import { Rights } from '../device/rights';
import type { AttachedDevice, Context } from './context';
import { reopening } from './reopening';
import { moduleInfo, type ModuleFile, type ModuleInfo } from './module-file';

export interface LoadOptions {
  /** `NAME=VALUE` each, or `NAME` for a switch. */
  parameters: string[];
  privilege: PrivilegeChoice;
}

/** A module that was loaded. */
export interface LoadedModule {
  /** Its name, as /proc/modules has it. */
  module: string;
  /** The file that it came from. */
  file: string;
  parameters: string[];
  /** With which rights it was loaded. */
  privilege: Privilege;
  /** What the kernel logged meanwhile. */
  log: ExplainedLine[];
}

/**
 * Loads a module of this machine into the kernel of a device.
 *
 * @throws KhError MODULE_*, BUILD_BAD_OBJECT, USAGE, DEVICE_LOST, TIMEOUT; or the signal's reason
 */
export async function loadModule(
  device: AttachedDevice,
  ko: ModuleFile,
  { parameters, privilege }: LoadOptions,
  context: Context,
): Promise<LoadedModule> {
  const words = kernelParameters(parameters);
  const info = moduleInfo(ko);
  const { module } = info;
  const { serial } = device.adb;
  const action: ModuleAction = { serial, verb: 'load', module, shown: ko.name };
  const { state, asRoot } = await lookAt(device, action, privilege, context);
  if (state.loaded.some(({ name }) => name === module)) throw loadedError(action);
  const access = await asRoot();
  const toLoad = {
    module,
    shown: ko.name,
    bytes: ko.bytes,
    parameters: words,
    suspicions: suspect(info, state),
  };
  const log = await insertModule(access, toLoad, context);
  context.emit({ type: 'module.inserted', serial, module });
  return { module, file: ko.name, parameters, privilege: access.privilege, log };
}

function suspect({ depends, release }: ModuleInfo, state: ModuleState): Suspicions {
  const missing = depends.filter((needed) => !state.loaded.some(({ name }) => name === needed));
  const differs = release !== '' && state.release !== '' && release !== state.release;
  return { missing, ...(differs ? { builtFor: release } : {}) };
}

/** What there is to know before an action, which takes no more than plain rights; and root, when it comes to it. */
export async function lookAt(
  { server, adb }: AttachedDevice,
  action: ModuleAction,
  privilege: PrivilegeChoice,
  context: Context,
): Promise<{ state: ModuleState; asRoot: () => Promise<Access> }> {
  const plain: Access = { adb, privilege: 'plain', root: false };
  const state = await askModuleState(plain, action.module, bounds(context, 'asking what is loaded'));
  const reopen = reopening(server, context);
  const rights = new Rights({ ...plain, root: state.root }, { privilege, reopen }, context);
  const asRoot = async () => {
    const access = await rights.root();
    if (access === undefined) throw rootNeededError(action, rights.refusals);
    return access;
  };
  return { state, asRoot };
}
