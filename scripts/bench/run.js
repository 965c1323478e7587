'use strict';
// `npm run bench`: kh beside the commands that do the same by hand, in one run.
// docs/benchmarks.md says what each line means.
const { spawnSync } = require('node:child_process');
const os = require('node:os');
const { parseArgs } = require('node:util');
const { version } = require('../../package.json');
const { benchArchive } = require('./archive');
const { stopRunning } = require('./commands');
const { compare } = require('./compare');
const { extraction, headersSearch, realPull, simulatedPull, startUp, wholeLab } = require('./comparisons');
const { moduleComparisons, openModuleBench } = require('./modules');
const { packComparison } = require('./pack');
const { comparisonText, heading } = require('./report');
const { measureScale, scaleText } = require('./scale');
const { makeScratch } = require('./scratch');
const { serialsOf, startSimulators } = require('./simulators');

const USAGE = `npm run bench -- [--runs N] [--serial SERIAL]... [--archive FILE] [--only headers|modules|pack|scale] [--json]

  --runs N        how often each command runs (11)
  --serial SERIAL a real device to measure as well; may be repeated
  --archive FILE  the kheaders.tar.xz of the simulated devices; one is made when left out
  --only headers, --only modules, --only pack  leave the rest out
  --only scale    labs of up to 200 devices, with one kernel and with eight; not part of the rest
  --json          all figures as one document

environment, for building modules and packing headers beside the kernel's own build:
  KH_KERNEL_BUILD    folder of a kernel build that is prepared for modules
  KH_KERNEL_HEADERS  the archive of its headers; where CONFIG_IKHEADERS leaves it when left out
  KH_KERNEL_IMAGE    its image; where the build leaves it when left out
`;

const LABS = [1, 4, 16];

async function main() {
  const options = readOptions();
  const scratch = makeScratch();
  const machine = machineFacts();
  if (options.archive === undefined) console.error('making an archive of real size…');
  const archive = await benchArchive(options.archive, scratch.root);
  const show = options.json ? () => undefined : console.log;
  show(heading({ machine, archive: archive.facts, scratch, runs: options.runs }));

  if (options.only === 'scale') {
    const scale = await measureScale(archive.path, archive.facts.release, options.runs, scratch);
    show(scaleText(scale));
    if (options.json) console.log(JSON.stringify({ machine, archive: archive.facts, scale }, undefined, 2));
    return;
  }
  const simulators = await startSimulators(LABS, archive.path, archive.facts.release);
  const comparisons = [];
  for await (const comparison of allComparisons(options, archive.path, simulators.ports, scratch)) {
    const result = await compare(comparison, options.runs, scratch);
    comparisons.push(result);
    show(comparisonText(result));
  }
  simulators.stop();
  if (options.json)
    console.log(JSON.stringify({ machine, archive: archive.facts, comparisons }, undefined, 2));
}

async function* allComparisons(options, archive, ports, scratch) {
  const { only } = options;
  if (only === undefined) yield* pulls(options, archive, ports, scratch);
  const isWanted = (name) => only === undefined || only === name;
  if (isWanted('headers')) yield headersSearch(archive);
  if (only === 'headers') return;
  const { KH_KERNEL_BUILD: folder } = process.env;
  if (folder === undefined) {
    console.error('modules and headers of a build are left out: KH_KERNEL_BUILD names no kernel build');
    return;
  }
  if (isWanted('modules')) yield* modules(folder, scratch);
  if (isWanted('pack')) yield await packComparison(folder);
}

async function* pulls({ serials }, archive, ports, scratch) {
  yield startUp();
  yield extraction(archive);
  const [serial] = serialsOf(1);
  yield simulatedPull(serial, ports[0]);
  for (const real of serials) yield realPull(real, scratch.folder());
  for (const [n, count] of LABS.entries()) yield wholeLab(serialsOf(count), ports[n]);
}

async function* modules(folder, { root }) {
  const { KH_KERNEL_HEADERS: headers, KH_KERNEL_IMAGE: image } = process.env;
  let simulators;
  const portWith = async (archive, release) => {
    simulators = await startSimulators([1], archive, release);
    return simulators.ports[0];
  };
  const bench = await openModuleBench({ folder, headers, image }, root, portWith);
  simulators.stop();
  yield* moduleComparisons(bench);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '11' },
      serial: { type: 'string', multiple: true, default: [] },
      archive: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { help, runs, serial: serials, archive, only, json } = values;
  if (help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  if (!/^[1-9]\d*$/.test(runs)) throw new Error(`--runs ${runs} is no number of runs`);
  if (only !== undefined && !['headers', 'modules', 'pack', 'scale'].includes(only))
    throw new Error(`--only ${only} is none of headers, modules, pack and scale`);
  return { runs: Number(runs), serials, archive, only, json };
}

function machineFacts() {
  const cpus = os.cpus();
  return {
    kh: version,
    node: process.version,
    platform: `${os.type()} ${os.arch()}`,
    cpu: `${cpus.length} × ${cpus[0]?.model ?? 'unknown processor'}`,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GB`,
    tools: ['adb', 'tar', 'xz', 'make'].map(toolVersion),
  };
}

/** What a tool says first when asked for its version. */
function toolVersion(tool) {
  const asked = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  return asked.status === 0 ? asked.stdout.split('\n')[0] : `no ${tool}`;
}

/** Ends with `code` as soon as the command that runs now has ended. */
function interrupt(code) {
  process.exitCode = code;
  if (!stopRunning()) process.exit();
}

process.on('SIGINT', () => interrupt(130));
process.on('SIGTERM', () => interrupt(143));
process.stdout.on('error', () => interrupt(1)); // nobody reads on, as with `| head`

main().catch((error) => {
  if (process.exitCode === undefined) console.error(`bench: ${error.message}`);
  process.exit(process.exitCode ?? 1);
});
