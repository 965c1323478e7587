'use strict';
// Where the measured commands write: in memory where the machine has a folder
// for that. On a disk, making files right after thousands were removed can be
// ten times slower, so there nothing is removed before the end.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const IN_MEMORY = '/dev/shm';

/** A folder that goes when this process ends, however it ends. */
function makeScratch() {
  const inMemory = isWritableFolder(IN_MEMORY);
  const root = fs.mkdtempSync(path.join(inMemory ? IN_MEMORY : os.tmpdir(), 'kh-bench-'));
  process.once('exit', () => fs.rmSync(root, { recursive: true, force: true, maxRetries: 3 }));
  return {
    root,
    inMemory,
    /** A fresh folder. */
    folder: () => fs.mkdtempSync(path.join(root, 'run-')),
    /** Done with a folder. */
    release: (folder) => inMemory && fs.rmSync(folder, { recursive: true }),
  };
}

function isWritableFolder(folder) {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

module.exports = { makeScratch };
