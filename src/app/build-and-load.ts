import { buildModule, onceForEachKernel, type Build, type BuildOptions } from './build-module';
import type { AttachedDevice, Context } from './context';
import { loadModule, type LoadedModule } from './load-module';
import { readModuleFile } from './module-file';
import { pullHeaders, type PullOptions } from './pull-headers';

export interface BuildAndLoadOptions extends BuildOptions {
  pull: PullOptions;
  /** Load what was built, in the order of the build. */
  load: boolean;
}

/** A build, and what came of loading it where that was asked for. */
export type BuildResult = Build & { loaded?: LoadedModule[] };

/**
 * From a device and a folder with source to modules that its kernel loads.
 *
 * @returns what to do on each device
 */
export function buildAndLoad(
  options: BuildAndLoadOptions,
): (device: AttachedDevice, context: Context) => Promise<BuildResult> {
  const build = onceForEachKernel(buildModule, options);
  return async (device, context) => {
    const pulled = await pullHeaders(device, { ...options.pull, force: false }, context);
    const built = await build(device, pulled, context);
    if (!options.load) return built;
    const loaded: LoadedModule[] = [];
    for (const { path } of built.modules) {
      const file = await readModuleFile(path);
      const { privilege } = options.pull;
      loaded.push(await loadModule(device, file, { parameters: [], privilege }, context));
    }
    return { ...built, loaded };
  };
}
