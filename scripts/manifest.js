'use strict';
// Writes oclif.manifest.json: what the commands look like, so that --help and
// --version need not load them. The build runs this after the compiler.
const fs = require('node:fs');
const path = require('node:path');
const { Plugin } = require('@oclif/core/config');
const { settings } = require('@oclif/core/settings');

const root = path.join(__dirname, '..');

async function writeManifest() {
  settings.enableAutoTranspile = false;
  const plugin = new Plugin({ root, type: 'core', ignoreManifest: true, errorOnManifestCreate: true });
  await plugin.load();
  fs.writeFileSync(path.join(root, 'oclif.manifest.json'), JSON.stringify(plugin.manifest) + '\n');
}

writeManifest().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
