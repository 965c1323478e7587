'use strict';
// Searches the index in the store HOME for PATTERN and prints the milliseconds
// that the call took, without the start of the process and the loading of the code.
const fs = require('node:fs');
const path = require('node:path');
const { openIndex } = require('../../dist/archive/index/index-file');
const { searchIndex } = require('../../dist/archive/search/search-index');

function main([home, pattern]) {
  const folder = path.join(home, 'v1/indexes');
  const start = performance.now();
  const index = openIndex(path.join(folder, fs.readdirSync(folder)[0]));
  const { files } = searchIndex(index, { pattern, globs: [], before: 0, after: 0, first: false });
  const milliseconds = performance.now() - start;
  if (files.length === 0) throw new Error(`nothing matches ${pattern}`);
  console.log(milliseconds);
}

main(process.argv.slice(2));
