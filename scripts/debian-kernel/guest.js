'use strict';
// A machine of QEMU that runs a kernel with init.c as its only program.
const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { MODULES } = require('./plan');

/** An emulated processor takes its time; boot and trials are mostly done within a quarter of a minute. */
const LONGEST_RUN = 5 * 60_000;

/** Two processors, with pointer authentication: distributions compile for it. */
const MACHINE = ['-M', 'virt', '-cpu', 'max,pauth-impdef=on', '-smp', '2', '-m', '1024'];
const NOTHING_ELSE = ['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio', '-no-reboot'];

/** Everything that is written to /dev/kmsg, in one order with what the kernel says, on the serial line. */
const COMMAND_LINE = 'console=ttyAMA0 ignore_loglevel printk.time=1 printk.devkmsg=on panic=-1 rdinit=/init';

/**
 * @param init init.c, compiled
 * @param modules the paths of what `plan` inserts
 * @returns the path of the file system that the guest has in memory
 */
function makeInitramfs(folder, init, modules, plan) {
  const root = path.join(folder, 'root');
  fs.mkdirSync(path.join(root, MODULES), { recursive: true });
  fs.copyFileSync(init, path.join(root, 'init'));
  for (const module of modules) fs.copyFileSync(module, path.join(root, MODULES, path.basename(module)));
  fs.writeFileSync(path.join(root, 'plan'), plan.map(({ line }) => `${line}\n`).join(''));
  const names = ['.', ...fs.readdirSync(root, { recursive: true })];
  const archive = execFileSync('cpio', ['--create', '--quiet', '--format=newc', '--owner=0:0'], {
    cwd: root,
    input: names.join('\n'),
    maxBuffer: 2 ** 28,
  });
  const target = path.join(folder, 'initramfs');
  fs.writeFileSync(target, archive);
  return target;
}

/** @returns what came over the serial line until the machine was off, or its time was up; and how long that took */
function boot(kernel, initramfs) {
  const media = ['-kernel', kernel, '-initrd', initramfs, '-append', COMMAND_LINE];
  const start = performance.now();
  const machine = spawn('qemu-system-aarch64', [...MACHINE, ...NOTHING_ELSE, ...media], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: LONGEST_RUN,
    killSignal: 'SIGKILL',
  });
  process.once('exit', () => machine.kill('SIGKILL'));
  const chunks = [];
  machine.stdout.on('data', (chunk) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    machine.once('error', reject);
    machine.once('close', () => {
      const seconds = Math.round((performance.now() - start) / 1000);
      resolve({ seconds, serial: Buffer.concat(chunks).toString() });
    });
  });
}

/** @returns what came of each line of the plan, as far as it was come to */
function readSteps(serial) {
  const steps = [];
  for (const line of serial.split(/\r*\n/)) {
    const [, text] = /^\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? (.*)$/.exec(line) ?? [];
    const [, mark, told = ''] = /^kh([>|=]) ?(.*)$/.exec(text ?? '') ?? [];
    const step = steps.at(-1);
    if (mark === '>') steps.push({ line: told, printed: [], log: [], errno: undefined });
    else if (mark === '|') step?.printed.push(told);
    else if (mark === '=') step.errno = Number(told);
    else if (text !== undefined) step?.log.push(text);
  }
  return steps;
}

module.exports = { boot, makeInitramfs, readSteps };
