'use strict';
// The archive that simulated devices have, and that is unpacked: a given one, or one made here.
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { inspectHeaders } = require('../../dist/archive/headers-tree');
const { unpackArchive } = require('../../dist/archive/unpack-archive');
const { ARCHIVE_LIMITS } = require('../../dist/core/limits');
const { makeArchive } = require('./made-archive');

/**
 * @param {string | undefined} given its path; one is made in `folder` when left out
 * @returns the path, and facts: the kernel release that it is for, and what is in it
 */
async function benchArchive(given, folder) {
  const archivePath = given === undefined ? path.join(folder, 'kheaders.tar.xz') : path.resolve(given);
  if (given === undefined) fs.writeFileSync(archivePath, await makeArchive());
  const treePath = path.join(folder, 'probe');
  fs.mkdirSync(treePath);
  const { signal } = new globalThis.AbortController();
  const { entries, bytes: treeBytes } = await unpackArchive(archivePath, {
    treePath,
    limits: ARCHIVE_LIMITS,
    signal,
  });
  const { release } = await inspectHeaders(treePath);
  fs.rmSync(treePath, { recursive: true });
  const content = fs.readFileSync(archivePath);
  const md5 = crypto.createHash('md5').update(content).digest('hex');
  const facts = { made: given === undefined, bytes: content.length, entries, treeBytes, release, md5 };
  return { path: archivePath, facts };
}

module.exports = { benchArchive };
