'use strict';
// Compiles src/ to dist/. What a removed source file left in dist/ would still
// be found by oclif as a command, so a full clean precedes a build whose list
// of sources changed; otherwise tsc's incremental state makes this quick.
const { spawnSync } = require('node:child_process');
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

/** Ends here when a step fails: what it printed says why. */
function step(script, ...args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

step(require.resolve('typescript/bin/tsc'), '-p', path.join(root, 'tsconfig.build.json'));
fs.writeFileSync(listing, sources);
// Makefiles and headers of a kdir are read by what was compiled.
const files = path.join('kbuild', 'kdir', 'files');
fs.cpSync(path.join(root, 'src', files), path.join(dist, files), { recursive: true });
step(path.join(__dirname, 'manifest.js'));
