'use strict';
// The lines that init.c is to do, and what each of them must have come to.
const os = require('node:os');
const { TRIALS } = require('./trials');

/** Where the guest has its modules. */
const MODULES = '/modules';

/** What the kernel says of modules that do not fit it, or that broke it. */
const COMPLAINT =
  /disagrees about version|no symbol version|Unknown symbol|version magic|BUG:|WARNING:|Oops|Call trace|Unable to handle/;

/** TAINT_OOT_MODULE and TAINT_UNSIGNED_MODULE, include/linux/panic.h: what any module from elsewhere brings. */
const TAINTED = String((1 << 12) | (1 << 13));

/**
 * What is done on a kernel: lines `{ line, module, problems(step) }`. A step is what
 * came of a line: what it `printed`, the kernel's `log` since, and its `errno`.
 */
function planFor(release) {
  const major = Number.parseInt(release, 10);
  return [
    ...TRIALS.filter(({ since = 0 }) => since <= major).flatMap(linesOf),
    { line: 'read /proc/modules', problems: prints('') },
    { line: 'read /proc/sys/kernel/tainted', problems: prints(TAINTED) },
  ];
}

function linesOf({ module, parameters, needs, says, use = [], saysAtLast }) {
  const words = [`${MODULES}/${module}.ko`, ...(parameters === undefined ? [] : [parameters])];
  const folder = `/sys/module/${module}/parameters`;
  const lines = [
    ...(needs === undefined ? [] : [{ line: `insert ${MODULES}/${needs}.ko`, problems: logs(undefined) }]),
    { line: `insert ${words.join(' ')}`, problems: logs(says) },
    { line: 'read /proc/modules', problems: (step) => (isLive(step, module) ? [] : ['is not live']) },
    ...use.map(([line, wanted]) => ({ line: line.replace('$P', folder), problems: prints(wanted) })),
    { line: `remove ${module}`, problems: logs(saysAtLast) },
    ...(needs === undefined ? [] : [{ line: `remove ${needs}`, problems: logs(undefined) }]),
  ];
  return lines.map((line) => ({ ...line, module }));
}

/** As /proc/modules lists it: unused, live, tainting as out of tree and unsigned, no more. */
function isLive({ printed }, module) {
  const found = printed.map((line) => line.split(' ')).find(([name]) => name === module);
  return found !== undefined && found[2] === '0' && found[4] === 'Live' && found[6] === '(OE)';
}

function prints(wanted) {
  return ({ printed }) => {
    const text = printed.join('\n');
    const isRight = typeof wanted === 'string' ? text === wanted : wanted.test(text);
    return isRight ? [] : [`printed ${JSON.stringify(text)}, not ${wanted}`];
  };
}

function logs(wanted) {
  return ({ log }) => (wanted === undefined || log.includes(wanted) ? [] : [`did not log "${wanted}"`]);
}

/**
 * @param steps what the guest did of `plan`
 * @returns {Map<string | undefined, string[]>} the problems of each module, and of the kernel in the end
 */
function judge(plan, steps) {
  const found = new Map(plan.map(({ module }) => [module, []]));
  for (const [index, planned] of plan.entries()) {
    const problems = found.get(planned.module);
    const step = steps[index];
    if (step?.line === planned.line && step.errno !== undefined) {
      problems.push(...problemsOf(step, planned).map((text) => `${planned.line}: ${text}`));
    } else if (problems.length === 0) {
      problems.push(`the guest did not come to the end of "${planned.line}"`);
    }
  }
  return found;
}

function problemsOf({ printed, log, errno }, { problems }) {
  if (errno === os.constants.errno.ECANCELED) return []; // an earlier line says why
  if (errno !== 0) {
    const [name] = Object.entries(os.constants.errno).find(([, number]) => number === errno) ?? [];
    return [`failed with ${name ?? errno}; ${log.length === 0 ? 'the log is silent' : log.join('; ')}`];
  }
  const complaints = log.filter((text) => COMPLAINT.test(text));
  return [...complaints.map((text) => `the kernel said "${text}"`), ...problems({ printed, log })];
}

module.exports = { MODULES, judge, planFor };
