import { homeFolder, openStore, type Store } from '../store/layout';

/** Opens the store that the environment names. Throws as `openStore`. */
export function openHome(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Store> {
  return openStore({ home: homeFolder(env, process.platform), signal });
}
