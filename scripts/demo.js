'use strict';
// Shows kh at work without a phone, adb or root: starts a simulated lab in this
// process, runs the real command line against it, and cleans up.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { startSimulator } = require('../dist/simulator/simulator');

const root = path.join(__dirname, '..');
const lab = JSON.parse(fs.readFileSync(path.join(root, 'fixtures', 'labs', 'demo.json'), 'utf8'));

async function main() {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'kh-demo-'));
  const simulator = await startSimulator(lab);
  const env = demoEnvironment(home, simulator.port);
  console.log(
    `A lab of ${lab.devices.length} simulated devices, behind an adb server at ${simulator.address}.`,
  );
  try {
    await kh(env, ['devices']);
    await kh(env, ['pull', '--all', '--exclude', 'ce0117118c1f4e2d05']);
    await kh(env, ['pull', '--all', '--exclude', 'ce0117118c1f4e2d05'], 'again: nothing to transfer');
    await kh(env, ['workspace', 'list']);
    await kh(env, ['workspace', 'verify']);
    showHeader(home);
  } finally {
    await simulator.close();
    fs.rmSync(home, { recursive: true, force: true });
  }
  console.log('\nThe lab is closed, and the store removed. With a phone attached: kh pull');
}

/** The demo's own store and adb server, whatever the user's environment says. */
function demoEnvironment(home, port) {
  const env = { ...process.env, KH_HOME: home, KH_LAB: 'none', ANDROID_ADB_SERVER_PORT: String(port) };
  for (const name of ['ADB_SERVER_SOCKET', 'ANDROID_ADB_SERVER_ADDRESS', 'ANDROID_SERIAL', 'KH_MANIFEST']) {
    delete env[name];
  }
  return env;
}

/** The simulator lives in this process, so the command must not block it. */
function kh(env, args, remark) {
  console.log(`\n$ kh ${args.join(' ')}${remark === undefined ? '' : `    # ${remark}`}`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(root, 'bin', 'run.js'), ...args], {
      env,
      stdio: 'inherit',
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`kh ${args.join(' ')} ended with exit code ${code}`));
    });
  });
}

/** The file that every build against these headers includes first. */
function showHeader(home) {
  const trees = path.join(home, 'v1', 'trees');
  const [tree] = fs.readdirSync(trees);
  const header = path.join('include', 'generated', 'autoconf.h');
  console.log(`\n$ head -3 …/headers/${header}`);
  const lines = fs.readFileSync(path.join(trees, tree, header), 'utf8').split('\n');
  console.log(lines.slice(0, 3).join('\n'));
}

main().catch((error) => {
  console.error(`demo: ${error.message}`);
  process.exitCode = 1;
});
