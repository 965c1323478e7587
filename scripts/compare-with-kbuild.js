'use strict';
// Builds modules twice, by the kernel's own build and by kh from what a device
// gives, and compares the two. docs/developing.md says how to come by such a build.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { makeKdir } = require('../dist/kbuild/kdir/make-kdir');
const { parseSymvers } = require('../dist/kbuild/symvers/symvers-file');
const { compareModules } = require('./kbuild/compare-modules');
const { openKernelBuild, writeSymvers } = require('./kbuild/kernel-build');

const USAGE = `npm run compare-with-kbuild -- --build DIR [--headers ARCHIVE] [--image FILE]
                               [--modules DIR] [--keep DIR] [-- WORD...]

  --build DIR        folder of a kernel build, prepared for modules (KH_KERNEL_BUILD)
  --headers ARCHIVE  its headers; where CONFIG_IKHEADERS leaves them when left out
  --image FILE       its kernel image, or a boot image; where the build leaves it when left out
  --modules DIR      the source of the modules (fixtures/modules)
  --keep DIR         folder for both builds; one that is removed when left out
  WORD               further words for the kernel's own make
`;

async function main() {
  const { build, headers, image, modules, keep, words } = readOptions();
  const kernel = openKernelBuild(build, { headers, image });
  const folder = keep ?? fs.mkdtempSync(path.join(os.tmpdir(), 'kh-compare-'));
  try {
    const theirs = buildByKbuild(kernel, modules, path.join(folder, 'kbuild'), words);
    const { built: ours, symvers } = await buildByKh(kernel, modules, path.join(folder, 'kh'));
    console.log(`${kernel.release} (${kernel.arch}), symbols from ${symvers}`);
    process.exitCode = report(theirs, ours);
  } finally {
    if (keep === undefined) fs.rmSync(folder, { recursive: true });
  }
}

/**
 * Names of sources, which warnings have in them, are whole paths with kbuild;
 * with kh they start at the module's folder.
 *
 * @returns the folder with what was built
 */
function buildByKbuild({ folder, makeWords }, modules, target, words) {
  fs.cpSync(modules, target, { recursive: true, preserveTimestamps: true });
  const shortNames = `KCFLAGS=-fmacro-prefix-map=${target}/=`;
  run('make', ['-s', '-C', folder, `M=${target}`, shortNames, ...makeWords, ...words, 'modules']);
  return target;
}

async function buildByKh(kernel, modules, target) {
  const headersPath = path.join(target, 'headers');
  fs.mkdirSync(headersPath, { recursive: true });
  run('tar', ['-xJf', kernel.headers, '-C', headersPath]);
  const [kdirPath, symversPath] = [path.join(target, 'kdir'), path.join(target, 'Module.symvers')];
  const symvers = await writeSymvers(kernel, symversPath);
  const { signal } = new globalThis.AbortController();
  const { notes } = await makeKdir({ kdirPath, headersPath, symversPath, signal });
  for (const note of notes) console.log(`note: ${note}`);
  const built = path.join(target, 'built');
  run('make', ['-s', '-C', kdirPath, `M=${modules}`, `KH_OUT=${built}`, 'modules']);
  return { built, symvers };
}

/** Prints how the modules differ. @returns the exit code: 1 where any does */
function report(theirs, ours) {
  const [ofKbuild, ofKh] = [modulesBelow(theirs), modulesBelow(ours)];
  const exportedHere = new Set([theirs, ours].flatMap(exportedBy));
  let alike = 0;
  for (const name of [...new Set([...ofKbuild, ...ofKh])].sort()) {
    const lines =
      ofKbuild.includes(name) && ofKh.includes(name)
        ? compareModules(
            fs.readFileSync(path.join(theirs, name)),
            fs.readFileSync(path.join(ours, name)),
            exportedHere,
          )
        : [`built only by ${ofKh.includes(name) ? 'kh' : 'kbuild'}`];
    if (lines.length === 0) alike += 1;
    else console.log([name, ...lines.map((line) => `  ${line}`)].join('\n'));
  }
  console.log(`${alike} of ${new Set([...ofKbuild, ...ofKh]).size} modules are alike`);
  return alike > 0 && alike === ofKbuild.length && alike === ofKh.length ? 0 : 1;
}

function modulesBelow(folder) {
  return fs.readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.ko'));
}

function exportedBy(folder) {
  const file = path.join(folder, 'Module.symvers');
  return parseSymvers(fs.readFileSync(file, 'utf8'), file).map(({ name }) => name);
}

/** A make around this script must not steer those that it runs. */
function run(program, args) {
  const env = { ...process.env, MAKEFLAGS: undefined, MAKELEVEL: undefined };
  execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'], env });
}

function readOptions() {
  const { values, positionals: words } = parseArgs({
    allowPositionals: true,
    options: {
      build: { type: 'string', default: process.env.KH_KERNEL_BUILD },
      headers: { type: 'string' },
      image: { type: 'string' },
      modules: { type: 'string', default: path.join(__dirname, '../fixtures/modules') },
      keep: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { build, modules, keep, help, ...given } = values;
  if (help || build === undefined) {
    (help ? process.stdout : process.stderr).write(USAGE);
    process.exit(help ? 0 : 2);
  }
  return {
    ...given,
    build: path.resolve(build),
    modules: path.resolve(modules),
    keep: keep && path.resolve(keep),
    words,
  };
}

main().catch((error) => {
  console.error(`compare-with-kbuild: ${error.message}`);
  process.exit(2);
});
