import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '../../../src/store/layout';
import { enterModuleUse, pendingModuleUse, type LoadNote } from '../../../src/store/module-ledger';
import { cleanUp, kill, newStore, runInChild, type Child } from './rig';

afterEach(cleanUp);

const PLACE = { device: 'PIXEL', bootId: 'boot-1' };

/** A device's module, and how often it was loaded and unloaded. */
function fakeModule({ loaded = false } = {}) {
  const module = {
    loaded,
    loads: 0,
    unloads: 0,
    load: async (note: LoadNote): Promise<void> => {
      if (module.loaded) return;
      await note.write();
      module.loaded = true;
      module.loads += 1;
    },
    unload: async () => {
      module.loaded = false;
      module.unloads += 1;
    },
  };
  return module;
}

/** A process that uses the module, until it is killed; `load` is the text of what it does to have it loaded. */
async function userElsewhere(store: Store, load: string): Promise<Child> {
  const child = runInChild(
    store,
    `await kh('module-ledger').enterModuleUse(store, ${JSON.stringify(PLACE)}, ${load});
     say('in');
     setInterval(() => undefined, 1000);`,
  );
  expect(await child.line()).toBe('in');
  return child;
}

describe('the module ledger', () => {
  it('has the module unloaded by the one who loaded it, and keeps nothing', async () => {
    const store = await newStore();
    const module = fakeModule();
    const use = await enterModuleUse(store, PLACE, module.load);
    expect(await pendingModuleUse(store, PLACE)).toBe(false);
    expect(await use.leave(module.unload)).toBe('unloaded');
    expect(module).toMatchObject({ loaded: false, loads: 1, unloads: 1 });
    expect(readdirSync(join(store.leases, 'PIXEL'))).toEqual([]);
    expect(await use.leave(module.unload)).toBe('not-ours');
  });

  it('leaves alone what others had loaded', async () => {
    const store = await newStore();
    const module = fakeModule({ loaded: true });
    const use = await enterModuleUse(store, PLACE, module.load);
    expect(await use.leave(module.unload)).toBe('not-ours');
    expect(module).toMatchObject({ loaded: true, unloads: 0 });
  });

  it('has the last one out unload it, whoever loaded it', async () => {
    const store = await newStore();
    const module = fakeModule();
    const uses = await Promise.all([1, 2, 3].map(() => enterModuleUse(store, PLACE, module.load)));
    const outcomes = await Promise.all(uses.map((use) => use.leave(module.unload)));
    expect(outcomes.sort()).toEqual(['in-use', 'in-use', 'unloaded']);
    expect(module).toMatchObject({ loads: 1, unloads: 1 });
  });

  it('does not unload it while another process uses it; a killed one does not count', async () => {
    const store = await newStore();
    const module = fakeModule({ loaded: true });
    const child = await userElsewhere(store, '(note) => note.write()');
    const first = await enterModuleUse(store, PLACE, module.load);
    expect(await first.leave(module.unload)).toBe('in-use');
    expect(await pendingModuleUse(store, PLACE)).toBe(false);
    await kill(child.process);
    expect(await pendingModuleUse(store, PLACE)).toBe(true);
    const second = await enterModuleUse(store, PLACE, module.load);
    expect(await second.leave(module.unload)).toBe('unloaded');
    expect(await pendingModuleUse(store, PLACE)).toBe(false);
  });

  it('does not take a killed process for the one who loaded it when it only used it', async () => {
    const store = await newStore();
    const module = fakeModule({ loaded: true });
    await kill((await userElsewhere(store, 'async () => undefined')).process);
    expect(await pendingModuleUse(store, PLACE)).toBe(false);
    const use = await enterModuleUse(store, PLACE, module.load);
    expect(await use.leave(module.unload)).toBe('not-ours');
  });

  it('has a later run unload what a process loaded that was killed before it could say so', async () => {
    const store = await newStore();
    const module = fakeModule({ loaded: true });
    const child = runInChild(
      store,
      `await kh('module-ledger').enterModuleUse(store, ${JSON.stringify(PLACE)}, async (note) => {
         await note.write();
         say('loading');
         await new Promise(() => setInterval(() => undefined, 1000));
       });`,
    );
    expect(await child.line()).toBe('loading');
    await kill(child.process);
    expect(await pendingModuleUse(store, PLACE)).toBe(true);
    const use = await enterModuleUse(store, PLACE, module.load);
    expect(await use.leave(module.unload)).toBe('unloaded');
  });

  it('has a later run unload what may have been loaded when the device was lost', async () => {
    const store = await newStore();
    const lost = new Error('lost');
    const load = async (note: LoadNote) => {
      await note.write();
      throw lost;
    };
    await expect(enterModuleUse(store, PLACE, load)).rejects.toBe(lost);
    expect(await pendingModuleUse(store, PLACE)).toBe(true);
  });

  it('leaves alone what someone else was quicker to load', async () => {
    const store = await newStore();
    const module = fakeModule({ loaded: true });
    const use = await enterModuleUse(store, PLACE, async (note) => {
      await note.write();
      await note.strike();
    });
    expect(await use.leave(module.unload)).toBe('not-ours');
    expect(module.loaded).toBe(true);
  });

  it('leaves it to a later run where unloading fails', async () => {
    const store = await newStore();
    const module = fakeModule();
    const use = await enterModuleUse(store, PLACE, module.load);
    const failure = new Error('busy');
    await expect(use.leave(() => Promise.reject(failure))).rejects.toBe(failure);
    expect(await pendingModuleUse(store, PLACE)).toBe(true);
    const later = await enterModuleUse(store, PLACE, module.load);
    expect(await later.leave(module.unload)).toBe('unloaded');
  });

  it('keeps nothing of a load that failed', async () => {
    const store = await newStore();
    const failure = new Error('no such module');
    await expect(enterModuleUse(store, PLACE, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(readdirSync(join(store.leases, 'PIXEL'))).toEqual([]);
  });

  it('forgets what was in an earlier boot', async () => {
    const store = await newStore();
    const before = await enterModuleUse(store, PLACE, (note) => note.write());
    const module = fakeModule();
    const use = await enterModuleUse(store, { ...PLACE, bootId: 'boot-2' }, module.load);
    expect(await before.leave(module.unload)).toBe('not-ours');
    expect(module.loaded).toBe(true);
    expect(await use.leave(module.unload)).toBe('unloaded');
  });

  it('still lets go after the run was interrupted', async () => {
    const store = await newStore();
    const controller = new AbortController();
    const module = fakeModule();
    const use = await enterModuleUse({ ...store, signal: controller.signal }, PLACE, module.load);
    controller.abort();
    expect(await use.leave(module.unload)).toBe('unloaded');
  });
});
