import { homeFolder, openStore, findStore, type Store } from '../store/layout';

/** Where the store is that the environment names. */
export function homePath(env: NodeJS.ProcessEnv): string {
  return homeFolder(env, process.platform);
}

/** The store that the environment names, for work that only reads. Throws as `findStore`. */
export function findHome(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Store> {
  return findStore({ home: homePath(env), signal });
}

/** Opens the store that the environment names. Throws as `openStore`. */
export function openHome(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Store> {
  return openStore({ home: homePath(env), signal });
}
