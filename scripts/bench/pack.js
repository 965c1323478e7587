'use strict';
// Packing headers: kh beside the kernel's own generator script, over the same
// build, with the same time for all members. See comparisons.js for the form.
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { openBuildTree } = require('../../dist/kbuild/build-tree');
const { shellQuote } = require('../../dist/device/shell-quote');
const { khCommand, missingTool, shellCommand } = require('./commands');

/** What kh is to reach: as a multiple of the script's time, and in seconds where nothing changed. */
const TARGETS = { pack: 0.6, againSeconds: 0.5 };

const SCRIPT = 'kernel/gen_kheaders.sh';
const TIMESTAMP = 'Thu Jan  1 00:00:00 UTC 2026';
const TOOLS = ['sh', 'find', 'cpio', 'perl', 'tar', 'xz', 'md5sum'];

/** @param folder a kernel build, or one that is prepared for modules */
async function packComparison(folder) {
  const tree = await openBuildTree(folder);
  const { build } = tree;
  const inFolder = (dir, name = 'packed', ...flags) =>
    khCommand(['pack', build, '-o', path.join(dir, name), '--timestamp', TIMESTAMP, ...flags]);
  const commandTo = (name) =>
    `KH_HOME="$DIR/home" node bin/run.js pack ${shellQuote(build)} -o "$DIR/${name}" --timestamp '${TIMESTAMP}'`;
  const command = commandTo('packed');
  const cases = [
    { name: 'kh pack', command, measure: (dir) => inFolder(dir).measure(dir), target: TARGETS.pack },
    {
      name: 'kh pack --parallel',
      command: `${commandTo('parallel')} --parallel`,
      measure: (dir) => inFolder(dir, 'parallel', '--parallel').measure(dir),
      target: TARGETS.pack,
    },
    {
      name: 'kh pack, nothing changed',
      command,
      measure: (dir) => inFolder(dir).measure(dir),
      targetSeconds: TARGETS.againSeconds,
    },
  ];
  return {
    title: `Headers of a kernel build: Linux ${tree.version.release}, ${tree.arch}`,
    ...ownGenerator(tree),
    cases,
    rehearse: (dir) => rehearse(dir, tree, inFolder(dir)),
  };
}

/** The script works in the build's folder: it is given a copy of what it reads there, made before its time starts. */
function ownGenerator(tree) {
  const missing = missingTool(...TOOLS);
  if (missing !== undefined) return { skipped: `${missing} is not installed here` };
  const script = path.join(tree.source, SCRIPT);
  const text = fs.existsSync(script) ? fs.readFileSync(script, 'utf8') : '';
  if (text === '') return { skipped: `the source has no ${SCRIPT}` };
  if (/\bobjlist=/.test(text)) return { skipped: `${SCRIPT} takes lists that only the whole build makes` };
  const { command, measure } = shellCommand(
    `cd "$DIR/build"; sh "$SOURCE/${SCRIPT}" kernel/kheaders_data.tar.xz`,
    {
      SOURCE: tree.source,
      SRCARCH: tree.arch,
      srctree: tree.source,
      building_out_of_srctree: tree.source === tree.build ? '' : '1',
      XZ: 'xz',
      KBUILD_BUILD_TIMESTAMP: TIMESTAMP,
    },
  );
  const baseline = {
    name: `the kernel's ${SCRIPT}`,
    command,
    measure: (dir) => (copyBuild(tree, path.join(dir, 'build')), measure(dir)),
  };
  return { baseline };
}

function copyBuild({ build, arch }, target) {
  for (const name of ['include', `arch/${arch}/include`]) {
    fs.cpSync(path.join(build, name), path.join(target, name), { recursive: true, verbatimSymlinks: true });
  }
  fs.mkdirSync(path.join(target, 'kernel'), { recursive: true });
  // A build from nothing writes it after the archive.
  fs.rmSync(path.join(target, 'include/generated/utsversion.h'), { force: true });
}

/** Makes sure that both give the same bytes, and that the second run of kh has nothing to do. */
async function rehearse(dir, tree, pack) {
  const { baseline } = ownGenerator(tree);
  const first = (await pack.ask(dir)).result;
  if (!(await pack.ask(dir)).result.unchanged) throw new Error('kh pack does not know its own archive again');
  if (baseline === undefined) return;
  await baseline.measure(dir);
  const theirs = fs.readFileSync(path.join(dir, 'build/kernel/kheaders_data.tar.xz'));
  const md5 = crypto.createHash('md5').update(theirs).digest('hex');
  if (md5 !== first.md5) throw new Error(`kh pack gives other bytes than ${SCRIPT}: ${first.md5}, ${md5}`);
}

module.exports = { packComparison };
