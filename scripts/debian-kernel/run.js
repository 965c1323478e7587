'use strict';
// `npm run debian-kernel`: packs the headers of Debian's own arm64 kernels, builds
// fixtures/modules from nothing else, and loads them on those kernels under QEMU.
// docs/developing.md says what it shows. Ends with 0 where all of it holds.
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { humanBytes } = require('../../dist/core/human');
const { boot, makeInitramfs, readSteps } = require('./guest');
const { download, newestReleases, openApt, releasesIn, unpack } = require('./packages');
const { judge, planFor } = require('./plan');

const USAGE = `npm run debian-kernel -- --cache DIR [--release RELEASE]... [--packages DIR] [--cc CC | --llvm LLVM]

  --cache DIR        where packages, what they unpack to, and logs are kept; remove it to start anew
  --release RELEASE  a kernel, such as 6.1.0-56-arm64; the newest of each line when left out
  --packages DIR     a folder with their packages, in place of apt
  --cc CC, --llvm LLVM  a compiler, as kh build-module takes it; what kh chooses when left out
`;

const ROOT = path.join(__dirname, '../..');
const FIXTURES = path.join(ROOT, 'fixtures/modules');
const COMPILER = 'aarch64-linux-gnu-gcc';

/** Packages of Debian, each with a command that succeeds where it is there. */
const NEEDED = {
  'qemu-system-arm': ['qemu-system-aarch64', '--version'],
  cpio: ['cpio', '--version'],
  make: ['make', '--version'],
  'gcc-aarch64-linux-gnu': [COMPILER, '--version'],
  'libc6-dev-arm64-cross': ['sh', '-c', `test -e "$(${COMPILER} -print-file-name=libc.a)"`],
};

async function main() {
  const options = readOptions();
  insistOnPackages();
  fs.mkdirSync(options.cache, { recursive: true });
  const scratch = fs.mkdtempSync(path.join(options.cache, 'run-'));
  process.once('exit', () => fs.rmSync(scratch, { recursive: true, force: true }));
  const init = compileInit(scratch);
  for (const kernel of kernels(options)) {
    const problems = await tryKernel(kernel, init, options, path.join(scratch, kernel.release));
    if (problems > 0) process.exitCode = 1;
  }
}

/** @returns where the unpacked packages of each kernel lie */
function kernels({ cache, packages, releases }) {
  if (packages !== undefined) {
    return (releases ?? releasesIn(packages)).map((release) => unpack(release, packages, cache));
  }
  const isHere = (release) => fs.existsSync(path.join(cache, release));
  const folder = path.join(cache, 'packages');
  const apt = releases?.every(isHere) ? undefined : openApt(cache);
  return (releases ?? newestReleases(apt)).map((release) => {
    if (!isHere(release)) download(apt, release, folder);
    return unpack(release, folder, cache);
  });
}

/** @returns how many problems there were */
async function tryKernel(kernel, init, { compiler, cache }, scratch) {
  console.log(kernel.release);
  const kh = khIn(scratch);
  packAndImport(kernel, kh, scratch);
  compareExports(kernel, kh, scratch);
  const hello = build(path.join(FIXTURES, 'hello'), kernel, compiler, kh);
  const modules = build(FIXTURES, kernel, compiler, kh);
  const others = modules.filter((file) => path.basename(file) !== 'hello.ko');
  const plan = planFor(kernel.release);
  const initramfs = makeInitramfs(scratch, init, [...hello, ...others], plan);
  const { seconds, serial } = await boot(kernel.vmlinuz, initramfs);
  const log = path.join(cache, `${kernel.release}.log`);
  fs.writeFileSync(log, serial);
  const [, version = 'nothing'] = /(Linux version .*?)\r*\n/.exec(serial) ?? [];
  console.log(`  ran for ${seconds} s, see ${log}: ${version}`);
  if (!version.startsWith(`Linux version ${kernel.release} `))
    throw new Error(`that is not ${kernel.release}`);
  return report(judge(plan, readSteps(serial)));
}

/** With the `.config` and `Module.symvers` beside the headers; build files are no part of such packages. */
function packAndImport({ headers }, kh, scratch) {
  const pack = path.join(scratch, 'pack');
  const { entries, bytes, milliseconds } = kh('pack', headers, '-o', pack, '--full').result;
  const seconds = (milliseconds / 1000).toFixed(1);
  console.log(`  kh pack: ${entries} members, ${humanBytes(bytes)}, in ${seconds} s`);
  const { symbols } = kh('import', '--from-pack', pack).result;
  console.log(`  kh import: ${symbols} exported symbols`);
}

/** What kh recovers from the image must be what the kernel's build noted of it. */
function compareExports({ vmlinuz, headers }, kh, scratch) {
  const recovered = path.join(scratch, 'exports');
  kh('carve', vmlinuz, '--what', 'symvers', '-o', recovered);
  const linesOf = (file) => fs.readFileSync(file, 'utf8').split('\n').sort();
  const ours = linesOf(recovered).filter((line) => line !== '');
  const theirs = linesOf(path.join(headers, 'Module.symvers')).filter((line) => line.includes('\tvmlinux\t'));
  if (ours.join('\n') !== theirs.join('\n')) {
    throw new Error(
      `the exports in ${vmlinuz} are not those of its Module.symvers: see kh carve --what symvers`,
    );
  }
  console.log(`  kh carve: ${ours.length} exported symbols in vmlinuz, as Module.symvers has them`);
}

/** @returns the paths of the modules that came of it */
function build(folder, { release }, compiler, kh) {
  const { result, warnings } = kh('build-module', folder, '--kernel', release, ...compiler);
  const name = path.relative(ROOT, folder);
  console.log(`  kh build-module ${name}: ${result.modules.length} by ${result.compiler}`);
  for (const { message } of warnings) console.log(`    ${message}`);
  return result.modules.map((module) => module.path);
}

/** @returns how many problems there are */
function report(found) {
  const modules = [...found].filter(([module]) => module !== undefined);
  const good = modules.filter(([, problems]) => problems.length === 0).map(([module]) => module);
  console.log(`  ${good.length} of ${modules.length} modules load, work and unload: ${good.join(' ')}`);
  for (const [module, problems] of found) {
    for (const problem of problems) console.log(`  ${module ?? 'at the end'}: ${problem}`);
  }
  return [...found.values()].flat().length;
}

/** Runs kh with a store below `scratch`. @returns a function that takes its words and gives its document */
function khIn(scratch) {
  fs.mkdirSync(scratch, { recursive: true });
  const env = { ...process.env, KH_HOME: path.join(scratch, 'home'), MAKEFLAGS: undefined };
  return (...words) => {
    const args = [path.join(ROOT, 'bin/run.js'), ...words, '--json'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      env,
      maxBuffer: 2 ** 28,
    });
    if (status !== 0) {
      throw new Error(`kh ${words.join(' ')} ended with ${status}:\n${stderr}${complaintIn(stdout)}`);
    }
    return JSON.parse(stdout);
  };
}

/** What kh's document says of a failure, where it came to that. */
function complaintIn(stdout) {
  const { error } = stdout === '' ? {} : JSON.parse(stdout);
  return error === undefined ? stdout : [error.message, error.hint].join('\n');
}

function compileInit(scratch) {
  const target = path.join(scratch, 'init');
  const flags = ['-std=gnu11', '-O2', '-Wall', '-Werror', '-static'];
  execFileSync(COMPILER, [...flags, path.join(__dirname, 'init.c'), '-o', target], { stdio: 'inherit' });
  return target;
}

function insistOnPackages() {
  const isThere = ([program, ...args]) => spawnSync(program, args, { stdio: 'ignore' }).status === 0;
  const missing = Object.keys(NEEDED).filter((name) => !isThere(NEEDED[name]));
  if (missing.length > 0) throw new Error(`something is missing: apt install ${missing.join(' ')}`);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      cache: { type: 'string' },
      release: { type: 'string', multiple: true },
      packages: { type: 'string' },
      cc: { type: 'string' },
      llvm: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { cache, release: releases, packages, cc, llvm, help } = values;
  if (help || cache === undefined) {
    (help ? process.stdout : process.stderr).write(USAGE);
    process.exit(help ? 0 : 2);
  }
  const compiler = Object.entries({ cc, llvm }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${value}`],
  );
  return {
    cache: path.resolve(cache),
    releases,
    packages: packages && path.resolve(packages),
    compiler,
  };
}

main().catch((error) => {
  console.error(`debian-kernel: ${error.message}`);
  process.exitCode = 2;
});
