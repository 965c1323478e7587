'use strict';
// What is compared: command lines as a person types them, and how they are run
// and timed. `$DIR` in them is a fresh folder, removed after the round.
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { shellQuote } = require('../../dist/device/shell-quote');

const ROOT = path.join(__dirname, '..', '..');
const PRELOAD = path.join(__dirname, 'peak-memory.js');

/** What would change which device, manifest or decoder is meant. The adb server is each command's own matter. */
const SILENCED = ['ANDROID_SERIAL', 'KH_MANIFEST', 'KH_XZ', 'KH_HOME', 'KH_CONTENT_TYPE'];

/** A baseline: a shell script. Gives its wall time. */
function shellCommand(script, env = {}) {
  return {
    command: script,
    measure: (dir) => timed('sh', ['-e', '-c', script], { ...env, DIR: dir }),
  };
}

/** `kh ARGS` with its store in `$DIR`. Gives its wall time and its peak memory. */
function khCommand(args) {
  const words = ['bin/run.js', ...args];
  return {
    command: `KH_HOME="$DIR/home" node ${words.map(shellQuote).join(' ')}`,
    measure: (dir) => timedNode(words, dir, { KH_HOME: path.join(dir, 'home') }),
    /** The same once more with --json, not timed. Gives the document. */
    ask: (dir) => askJson([...words, '--json'], { KH_HOME: path.join(dir, 'home') }),
  };
}

async function timedNode(words, dir, env = {}) {
  const peakFile = path.join(dir, 'peak');
  const sample = await timed(process.execPath, ['--require', PRELOAD, ...words], {
    ...env,
    KH_BENCH_PEAK_FILE: peakFile,
  });
  return { ...sample, peakBytes: Number(fs.readFileSync(peakFile, 'utf8')) };
}

/** The command that runs now; and whether none is to follow. */
const now = { child: undefined, stopped: false };

/** Runs a command to its end; throws where that is not a good one. */
function timed(program, args, env) {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(program, args, {
      cwd: ROOT,
      env: environment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a process group of its own, to be stopped with all that it started
    });
    now.child = child;
    let [milliseconds, stdout, stderr] = [0, '', ''];
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.once('error', reject);
    child.once('exit', () => {
      milliseconds = performance.now() - start;
      now.child = undefined;
    });
    child.once('close', (code, signal) => {
      if (code === 0 && !now.stopped) resolve({ milliseconds, stdout });
      else
        reject(new Error(`${program} ${args.join(' ')} ended with ${signal ?? code}:\n${stderr}${stdout}`));
    });
  });
}

/** Stops the running command, which then counts as failed. @returns false when none runs */
function stopRunning() {
  now.stopped = true;
  if (now.child?.pid === undefined) return false;
  process.kill(-now.child.pid, 'SIGTERM');
  return true;
}

async function askJson(words, env) {
  const { stdout } = await timed(process.execPath, words, env);
  return JSON.parse(stdout);
}

function environment(extra) {
  const env = { ...process.env, KH_LAB: 'none', ...extra };
  for (const name of SILENCED) if (!(name in extra)) delete env[name];
  return env;
}

/** The first of `tools` that is not on the PATH, or undefined. */
function missingTool(...tools) {
  return tools.find((tool) => spawnSync('sh', ['-c', 'command -v "$1"', 'sh', tool]).status !== 0);
}

module.exports = { khCommand, missingTool, shellCommand, stopRunning, timed, timedNode };
