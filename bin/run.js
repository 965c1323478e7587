#!/usr/bin/env node
'use strict';
require('node:module').enableCompileCache?.();
const path = require('node:path');
const { run } = require('@oclif/core/run');
const { settings } = require('@oclif/core/settings');
const { main } = require('../dist/cli/main');

settings.enableAutoTranspile = false; // run what was built, in development and under test too
void main(run, process.argv.slice(2), path.join(__dirname, '..'));
