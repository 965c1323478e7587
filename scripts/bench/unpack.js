'use strict';
// Unpacks ARCHIVE into the empty folder TREE and prints the milliseconds that
// the call took, without the start of the process and the loading of the code.
const { ARCHIVE_LIMITS } = require('../../dist/core/limits');
const { unpackArchive } = require('../../dist/archive/unpack-archive');

async function main([archive, treePath]) {
  const { signal } = new globalThis.AbortController();
  const start = performance.now();
  await unpackArchive(archive, { treePath, limits: ARCHIVE_LIMITS, signal });
  console.log(performance.now() - start);
}

void main(process.argv.slice(2));
