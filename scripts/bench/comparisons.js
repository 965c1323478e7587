'use strict';
// Each function gives one comparison: a baseline, and cases of kh that are
// measured beside it. `run.js` runs them; `report.js` shows them.
//
// comparison: { title, baseline, skipped?, cases, rehearse? }
// baseline, case: { name, command, measure(dir) → { milliseconds, peakBytes? }, target? }
// A round has one `$DIR`; the cases of a round run in their order, one after another.
const fs = require('node:fs');
const path = require('node:path');
const { shellQuote } = require('../../dist/device/shell-quote');
const { khCommand, missingTool, shellCommand, timed, timedNode } = require('./commands');

/** What kh is to reach: wall time as a multiple of the baseline's. */
const TARGETS = {
  cold: 1.8,
  warm: 0.7,
  sixteen: 0.25,
  extraction: 1.5,
  version: 3,
  search: 1.5,
  searchAgain: 0.2,
};

const THREE_COMMANDS = 'adb pull + md5sum + tar';
const ARCHIVE_PATH = '/sys/kernel/kheaders.tar.xz';

/** One simulated device, behind the adb server at `port`. */
function simulatedPull(serial, port) {
  const server = ['-P', String(port)];
  return onePull('One simulated device', serial, server, threeCommands([serial], server, ARCHIVE_PATH));
}

/** A real device, behind the adb server that the environment names. */
async function realPull(serial, dir) {
  const [{ result }] = (await khCommand(['pull', '-s', serial]).ask(dir)).devices;
  const record = JSON.parse(fs.readFileSync(path.join(result.workspace, 'workspace.json'), 'utf8'));
  const plain = result.origin === 'built-in' && result.privilege === 'plain';
  const baseline = plain
    ? threeCommands([serial], [], record.headers.path)
    : { skipped: `adb pull does not reach the headers of ${serial}: ${result.origin}, ${result.privilege}` };
  return onePull(`A real device: ${serial}`, serial, [], baseline);
}

/** kh for the first time, again within the same boot, and with the archive in the store but no workspace of this boot. */
function onePull(title, serial, server, baseline) {
  const pull = khCommand(['pull', '-s', serial, ...server]);
  const cases = [
    { name: 'kh pull, cold', ...pull, target: TARGETS.cold, knownBy: undefined },
    { name: 'kh pull, same boot', ...pull, target: TARGETS.warm, knownBy: 'same-boot' },
    { name: 'kh pull, archive known', ...withoutWorkspaces(pull), knownBy: 'device-md5' },
  ];
  return { title, ...baseline, cases, rehearse: (dir) => rehearsePulls(dir, cases) };
}

/** Another boot, or another device with this kernel: only the device's md5 tells that the archive is here. */
function withoutWorkspaces(pull) {
  const forget = (dir) => fs.rmSync(path.join(dir, 'home/v1/workspaces'), { recursive: true });
  return {
    command: `rm -r "$DIR/home/v1/workspaces"; ${pull.command}`,
    measure: (dir) => (forget(dir), pull.measure(dir)),
    ask: (dir) => (forget(dir), pull.ask(dir)),
  };
}

/** Makes sure that the cases are what they are called. */
async function rehearsePulls(dir, cases) {
  for (const { name, ask, knownBy } of cases) {
    const [outcome] = (await ask(dir)).devices;
    const found = outcome.result.knownBy;
    if (found !== knownBy) throw new Error(`${name}: kh knew the archive by ${found}, not by ${knownBy}`);
  }
}

/** Many devices with one kernel: one `kh pull --all`, and the three commands for each in turn. */
function wholeLab(serials, port) {
  const target = serials.length === 16 ? TARGETS.sixteen : undefined;
  const pull = khCommand(['pull', '--all', '-P', String(port)]);
  return {
    title: `${serials.length} simulated ${serials.length === 1 ? 'device' : 'devices'} with one kernel`,
    ...threeCommands(serials, ['-P', String(port)], ARCHIVE_PATH),
    cases: [{ name: 'kh pull --all, cold', ...pull, target }],
  };
}

/** @returns {{ baseline?: object, skipped?: string }} */
function threeCommands(serials, server, archivePath) {
  const missing = missingTool('sh', 'adb', 'md5sum', 'tar', 'xz');
  if (missing !== undefined) return { skipped: `${missing} is not installed here` };
  const script = [
    `for S in ${serials.map(shellQuote).join(' ')}; do`,
    `  mkdir -p "$DIR/$S/tree"`,
    `  ${['adb', ...server].join(' ')} -s "$S" pull ${shellQuote(archivePath)} "$DIR/$S/kheaders.tar.xz"`,
    `  md5sum "$DIR/$S/kheaders.tar.xz"`,
    `  tar -xJf "$DIR/$S/kheaders.tar.xz" -C "$DIR/$S/tree"`,
    'done',
  ].join('\n');
  const name = serials.length === 1 ? THREE_COMMANDS : `${THREE_COMMANDS}, one after another`;
  return { baseline: { name, ...shellCommand(script) } };
}

/** From an archive on disk to a tree. */
function extraction(archive) {
  const missing = missingTool('sh', 'tar', 'xz');
  const tar = shellCommand('mkdir "$DIR/tree"; tar -xJf "$ARCHIVE" -C "$DIR/tree"', { ARCHIVE: archive });
  const words = ['scripts/bench/unpack.js'];
  const unpack = {
    name: 'kh unpacks (the call alone)',
    command: `node ${words[0]} "$ARCHIVE" "$DIR/tree"`,
    measure: async (dir) => {
      const tree = path.join(dir, 'tree');
      fs.mkdirSync(tree);
      const { stdout, peakBytes } = await timedNode([...words, archive, tree], dir);
      return { milliseconds: Number(stdout), peakBytes };
    },
    target: TARGETS.extraction,
  };
  return {
    title: 'Extraction alone',
    ...(missing === undefined
      ? { baseline: { name: 'tar -xJf', ...tar } }
      : { skipped: `${missing} is not installed here` }),
    cases: [unpack],
  };
}

/** Found in made archives and in those of kernels. */
const PATTERN = 'lock_page';

/** A regular expression in all headers of an archive on disk: the first look, and the second. */
function headersSearch(archive) {
  const searcher = missingTool('rg') === undefined ? 'rg' : 'grep';
  const missing = missingTool('sh', 'tar', 'xz', searcher);
  const pipeline = `xz -dc "$ARCHIVE" | tar -xO -f - | ${searcher} -n ${PATTERN} >"$DIR/found"`;
  const look = khCommand(['headers', 'search', PATTERN, '-a', archive]);
  const words = ['scripts/bench/search.js'];
  const alone = {
    name: '… the call alone',
    command: `node ${words[0]} "$DIR/home" ${PATTERN}`,
    measure: async (dir) => {
      const { stdout, peakBytes } = await timedNode([...words, path.join(dir, 'home'), PATTERN], dir);
      return { milliseconds: Number(stdout), peakBytes };
    },
    target: TARGETS.searchAgain,
  };
  return {
    title: 'Search in an archive',
    ...(missing === undefined
      ? { baseline: { name: `xz | tar | ${searcher}`, ...shellCommand(pipeline, { ARCHIVE: archive }) } }
      : { skipped: `${missing} is not installed here` }),
    cases: [
      { name: 'kh headers search, first', ...look, target: TARGETS.search },
      { name: '… second', ...look, target: TARGETS.searchAgain },
      alone,
    ],
  };
}

function startUp() {
  return {
    title: 'Start-up',
    baseline: {
      name: 'node -e 0',
      command: 'node -e 0',
      measure: () => timed(process.execPath, ['-e', '0'], {}),
    },
    cases: [{ name: 'kh --version', ...khCommand(['--version']), target: TARGETS.version }],
  };
}

module.exports = { extraction, headersSearch, realPull, simulatedPull, startUp, wholeLab };
