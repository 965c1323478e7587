#!/usr/bin/env node
'use strict';
// Builds what changed, then runs it.
const { execFileSync } = require('node:child_process');
const path = require('node:path');

execFileSync(process.execPath, [path.join(__dirname, '..', 'scripts', 'build.js')], {
  stdio: ['ignore', 2, 2],
});
require('./run.js');
