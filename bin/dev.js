#!/usr/bin/env node
'use strict';
// Builds what changed, then runs it.
const { spawnSync } = require('node:child_process');
const path = require('node:path');

const build = path.join(__dirname, '..', 'scripts', 'build.js');
const { status } = spawnSync(process.execPath, [build], { stdio: ['ignore', 2, 2] });
if (status !== 0) process.exit(status ?? 1);
require('./run.js');
