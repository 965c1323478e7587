'use strict';
// The kh processes of a soak: what they print, what memory and how many open
// files they have over time, and whether any is left.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');

const PROGRAM = path.join(__dirname, '..', '..', 'bin', 'run.js');
const MARK = 'KH_SOAK';

/**
 * An environment of its own: without adb, which kh would start on the port of
 * a simulated server that is down for a moment.
 */
function environment(folder, home) {
  const bin = path.join(folder, 'bin');
  fs.mkdirSync(bin);
  for (const tool of ['sh', 'xz']) {
    const found = (process.env.PATH ?? '')
      .split(':')
      .map((part) => path.join(part, tool))
      .find(fs.existsSync);
    if (found !== undefined) fs.symlinkSync(found, path.join(bin, tool));
  }
  return { PATH: bin, HOME: folder, LANG: 'C.UTF-8', KH_HOME: home, [MARK]: folder };
}

/** Starts kh; `onLine` gets each line of its stdout. */
function startKh(args, env, onLine = () => undefined) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr = (stderr + text).slice(-20_000)));
  readline.createInterface({ input: child.stdout }).on('line', onLine);
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, stderr }));
  });
  return { pid: child.pid, ended, send: (signal) => child.kill(signal) };
}

/** Runs kh to its end, and gives all that it printed. */
async function runKh(args, env) {
  const lines = [];
  const outcome = await startKh(args, env, (line) => lines.push(line)).ended;
  return { ...outcome, stdout: lines.join('\n') };
}

/** Bytes resident and files open of a process, or undefined where it has ended. */
function usageOf(pid) {
  try {
    const pages = Number(fs.readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    return { memory: pages * 4096, files: fs.readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

/** Processes that were started in this soak and still run, by what /proc says of their environment. */
function leftOver(folder) {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return fs.readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`${MARK}=${folder}`);
      } catch {
        return false; // it has ended, or is someone else's
      }
    });
}

module.exports = { environment, leftOver, runKh, startKh, usageOf };
