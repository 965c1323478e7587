'use strict';
// Compiles src/ to dist/. What a removed source file left in dist/ would still
// be found by oclif as a command, so a full clean precedes a build whose list
// of sources changed; otherwise tsc's incremental state makes this quick.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const dist = path.join(root, 'dist');
const listing = path.join(dist, '.sources');

const sources = fs
  .readdirSync(path.join(root, 'src'), { recursive: true })
  .filter((name) => name.endsWith('.ts'))
  .sort()
  .join('\n');
const before = fs.existsSync(listing) ? fs.readFileSync(listing, 'utf8') : undefined;
if (before !== sources) fs.rmSync(dist, { recursive: true, force: true });

execFileSync(
  process.execPath,
  [require.resolve('typescript/bin/tsc'), '-p', path.join(root, 'tsconfig.build.json')],
  {
    stdio: 'inherit',
  },
);
fs.writeFileSync(listing, sources);
execFileSync(process.execPath, [path.join(__dirname, 'manifest.js')], { stdio: 'inherit' });
