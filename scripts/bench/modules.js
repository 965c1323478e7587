'use strict';
// Building modules: kh beside the kernel's own build, in a build folder that is
// prepared for modules, with the same compiler. See comparisons.js for the form.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { shellQuote } = require('../../dist/device/shell-quote');
const { openKernelBuild, writeSymvers } = require('../kbuild/kernel-build');
const { timed, timedNode } = require('./commands');

const FIXTURES = path.join(__dirname, '../../fixtures/modules');
const JOBS = `-j${os.availableParallelism()}`;

/** What kh is to reach: as a multiple of the kernel's own build; for the symbols, in seconds. */
const TARGETS = { clean: 0.6, again: 0.5, symversSeconds: 0.5 };

/**
 * A workspace for the kernel of a build folder, with a KDIR: pulled from a
 * simulated device that has its headers.
 *
 * @param pull from `(archive, release)` to the port of an adb server with such a device, `SIM1`
 */
async function openModuleBench({ folder, headers, image }, root, pull) {
  const kernel = openKernelBuild(folder, { headers, image });
  const home = { KH_HOME: path.join(root, 'modules') };
  const kh = (...words) => timed(process.execPath, ['bin/run.js', ...words], home);
  const port = await pull(kernel.headers, kernel.release);
  const pulled = JSON.parse((await kh('pull', '-s', 'SIM1', '-P', String(port), '--json')).stdout);
  const { workspace } = pulled.devices[0].result;
  const symvers = path.join(root, 'recovered.symvers');
  await writeSymvers(kernel, symvers);
  const hello = path.join(FIXTURES, 'hello');
  const built = await kh('build-module', hello, '-w', workspace, '--symvers', symvers, '--json');
  return { kernel, workspace, home, kdir: JSON.parse(built.stdout).result.kdir };
}

function moduleComparisons(bench) {
  const ofModule = (module) => [cleanBuild(bench, module), secondBuild(bench, module)];
  const { image } = bench.kernel;
  return [...['hello', 'composite'].flatMap(ofModule), ...(image === undefined ? [] : [symvers(image)])];
}

function cleanBuild(bench, module) {
  const [kbuild, make, kh] = builds(bench, module);
  return {
    title: `Clean build of ${module}`,
    baseline: kbuild,
    cases: [make, kh].map((build) => ({ ...build, target: TARGETS.clean })),
  };
}

/** The first one is not timed. */
function secondBuild(bench, module) {
  const [kbuild, make, kh] = builds(bench, module).map((build) => ({
    ...build,
    measure: async (dir) => {
      await build.measure(dir);
      return build.again(dir);
    },
  }));
  return {
    title: `Second build of ${module}, with nothing to do`,
    baseline: kbuild,
    cases: [make, kh].map((build) => ({ ...build, target: TARGETS.again })),
  };
}

/** The kernel's own make, kh's make, and the whole of kh, each `measure`d from nothing, and once more `again`. */
function builds({ kernel, kdir, workspace, home }, module) {
  const source = path.join(FIXTURES, module);
  const byKbuild = (dir) => ['-C', kernel.folder, `M=${dir}/source`, ...kernel.makeWords, JOBS, 'modules'];
  const byKdir = (dir) => ['-C', kdir, `M=${source}`, `KH_OUT=${dir}/objects`, JOBS, 'modules'];
  const kh = ['bin/run.js', 'build-module', source, '-w', workspace];
  const forgetObjects = () => fs.rmSync(path.join(workspace, 'build'), { recursive: true, force: true });
  return [
    {
      name: 'make in the kernel build',
      command: ['make', ...byKbuild('$DIR')].join(' '),
      measure: (dir) => {
        fs.cpSync(source, path.join(dir, 'source'), { recursive: true });
        return timed('make', byKbuild(dir), {});
      },
      again: (dir) => timed('make', byKbuild(dir), {}),
    },
    {
      name: 'make in the KDIR of kh',
      command: ['make', ...byKdir('$DIR')].join(' '),
      measure: (dir) => timed('make', byKdir(dir), {}),
      again: (dir) => timed('make', byKdir(dir), {}),
    },
    {
      name: 'kh build-module',
      command: `KH_HOME=${shellQuote(home.KH_HOME)} node ${kh.map(shellQuote).join(' ')}`,
      measure: (dir) => {
        forgetObjects();
        return timedNode(kh, dir, home);
      },
      again: (dir) => timedNode(kh, dir, home),
    },
  ];
}

/** The call alone, without the start of a process: from a kernel image to the text of a Module.symvers. */
function symvers(image) {
  const words = ['scripts/bench/recover-symvers.js'];
  return {
    title: 'Exported symbols from a kernel image',
    skipped: 'there is no other command for it',
    cases: [
      {
        name: 'kh finds them (the call alone)',
        command: `node ${words[0]} "$IMAGE"`,
        measure: async (dir) => {
          const { stdout, peakBytes } = await timedNode([...words, image, path.join(dir, 'symvers')], dir);
          return { milliseconds: Number(stdout), peakBytes };
        },
        targetSeconds: TARGETS.symversSeconds,
      },
    ],
  };
}

module.exports = { moduleComparisons, openModuleBench };
