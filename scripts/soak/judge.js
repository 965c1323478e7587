'use strict';
// What a soak has to show, found out when it is over. Each check gives a name,
// what was seen, and what is wrong (nothing, where all is well).
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { ARCHIVE_LIMITS } = require('../../dist/core/limits');
const { unpackArchive } = require('../../dist/archive/unpack-archive');

/** The most that memory and files of the last third may be, of those of the first. */
const FLAT = 1.1;

/** Every workspace of a store, by its record. */
function workspacesOf(home) {
  const root = path.join(home, 'v1', 'workspaces');
  return namesIn(root).flatMap((device) =>
    namesIn(path.join(root, device)).map((release) => {
      const folder = path.join(root, device, release);
      return { folder, ...JSON.parse(fs.readFileSync(path.join(folder, 'workspace.json'), 'utf8')) };
    }),
  );
}

/** Devices that were left alone for `healthyMs` and more have a workspace of the kernel that they run. */
function checkHealthy({ devices }, workspaces, healthyMs, endedAt) {
  const healthy = healthyOf(devices, healthyMs, endedAt);
  const missing = healthy.filter(
    ({ serialno, release, sha256 }) =>
      !workspaces.some(
        ({ device, kernel, archive }) =>
          device.serialno === serialno && kernel.release === release && archive.sha256 === sha256,
      ),
  );
  return {
    name: `workspaces of devices healthy for ${healthyMs / 1000} s`,
    seen: `${healthy.length - missing.length} of ${healthy.length}, of ${devices.length} devices`,
    wrong: missing.map(({ serial, release }) => `${serial}: none of ${release}`),
  };
}

function healthyOf(devices, healthyMs, endedAt) {
  return devices.filter(({ healthySince }) => endedAt - healthySince >= healthyMs);
}

/** A module that kh could not unload is unloaded by a later pull. */
function checkModules({ devices }, healthyMs, endedAt) {
  const loaded = healthyOf(devices, healthyMs, endedAt).filter(({ modules }) => modules.length > 0);
  return checkNone(
    'modules left loaded',
    loaded.map(({ serial, modules }) => `${serial}: ${modules.join(', ')}`),
  );
}

/** Each workspace has the archive of its kernel, and nothing else. */
function checkSources({ sources }, workspaces) {
  const wrong = workspaces.filter(
    ({ kernel, archive }) =>
      !sources.some(
        ({ release, version, sha256 }) =>
          release === kernel.release && version === kernel.version && sha256 === archive.sha256,
      ),
  );
  return {
    name: 'workspaces with the archive of their kernel',
    seen: `${workspaces.length - wrong.length} of ${workspaces.length}`,
    wrong: wrong.map(({ folder }) => folder),
  };
}

/** Each tree of the store is what its source unpacks to. */
async function checkTrees({ sources }, home, folder) {
  const trees = namesIn(path.join(home, 'v1', 'trees'));
  const wrong = [];
  for (const tree of trees) {
    const source = sources.find(({ sha256 }) => sha256 === tree);
    if (source === undefined) {
      wrong.push(`${tree}: of no known archive`);
      continue;
    }
    const treePath = path.join(folder, `reference-${tree}`);
    fs.mkdirSync(treePath);
    const { signal } = new globalThis.AbortController();
    await unpackArchive(source.source, { treePath, limits: ARCHIVE_LIMITS, signal });
    const args = ['-r', '--no-dereference', treePath, path.join(home, 'v1', 'trees', tree)];
    const diff = spawnSync('diff', args, { encoding: 'utf8' });
    if (diff.status !== 0) wrong.push(`${tree}: ${(diff.stdout + diff.stderr).split('\n')[0]}`);
  }
  return {
    name: 'trees equal to their source',
    seen: `${trees.length - wrong.length} of ${trees.length}`,
    wrong,
  };
}

/** `unit` says how a number is shown. */
function checkFlat(name, numbers, unit) {
  const third = Math.floor(numbers.length / 3);
  const [first, last] = [numbers.slice(0, third), numbers.slice(-third)].map(median);
  const grown = last / first;
  const seen = `${unit(first)} → ${unit(last)} (${grown.toFixed(2)} ×), most ${unit(Math.max(...numbers))}`;
  return { name, seen, wrong: third > 0 && grown <= FLAT ? [] : [`more than ${FLAT} × the first third`] };
}

/** A count of things of which there must be none. */
function checkNone(name, found) {
  return { name, seen: String(found.length), wrong: found };
}

function median(numbers) {
  return [...numbers].sort((one, other) => one - other)[numbers.length >> 1] ?? 0;
}

function namesIn(folder) {
  return fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];
}

module.exports = {
  checkFlat,
  checkHealthy,
  checkModules,
  checkNone,
  checkSources,
  checkTrees,
  namesIn,
  workspacesOf,
};
