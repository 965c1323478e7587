'use strict';
// `npm run soak`: two hundred simulated devices on three adb servers, on which
// something happens all the time, and kh watch and kh pull --all beside it.
// docs/developing.md says what it shows. Ends with 0 where all is well.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { humanBytes } = require('../../dist/core/human');
const judge = require('./judge');
const { environment, leftOver, runKh, startKh, usageOf } = require('./processes');
const { startRack } = require('./rack');

const seconds = Number(process.env.SOAK_SECONDS ?? 600);
const seed = Number(process.env.SOAK_SEED ?? Date.now() % 2 ** 32);
const DEVICES = Number(process.env.SOAK_DEVICES ?? 200);
const SERVERS = 3;
/** What kh gives a device: those that hang are many. */
const TIMEOUT = ['--timeout', '20s'];

async function main() {
  const parent = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
  const folder = fs.mkdtempSync(path.join(parent, 'kh-soak-'));
  process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const home = path.join(folder, 'home');
  const env = environment(folder, home);
  const rack = await startRack({ seed, servers: SERVERS, devices: DEVICES, folder });
  console.log(`${DEVICES} devices on ${SERVERS} adb servers, for ${seconds} s; SOAK_SEED=${seed}`);
  try {
    const soak = await soakFor({ rack, env });
    const found = { ...soak, report: await rack.report(), leftOver: leftOver(folder) };
    show(found, await judgeAll(found, { home, env, folder }));
  } finally {
    rack.stop();
  }
}

/** Runs everything for the time that there is; the last part of it in peace. */
async function soakFor({ rack, env }) {
  const servers = rack.ports.flatMap((port) => ['-P', String(port)]);
  const start = Date.now();
  const end = start + seconds * 1000;
  // Long enough for a hung pull to run out of time, and for the next attempt.
  const healthyMs = Math.min(90, Math.max(45, seconds / 4), seconds / 2) * 1000;
  const events = { count: 0, ready: 0, strange: [], nameless: [] };
  const watch = startKh(['watch', '--json', ...servers, ...TIMEOUT], env, (line) => noteEvent(events, line));
  const usage = [];
  const sampling = globalThis.setInterval(() => usage.push(usageOf(watch.pid)), 1000);
  const stopped = { value: false };
  const pulls = pullAgain(servers, env, () => stopped.value);
  let watchEnded;
  void watch.ended.then((outcome) => (watchEnded = outcome));
  const until = async (time) => {
    while (Date.now() < time && watchEnded === undefined) await sleep(500);
  };
  await until(end - healthyMs);
  await rack.calm();
  await until(end);
  globalThis.clearInterval(sampling);
  stopped.value = true;
  const early = watchEnded;
  watch.send('SIGTERM');
  const runs = await pulls;
  return {
    runs,
    events,
    usage: usage.filter(Boolean),
    watch: await watch.ended,
    early,
    healthyMs,
    endedAt: Date.now(),
  };
}

function noteEvent(events, line) {
  events.count += 1;
  try {
    const event = JSON.parse(line);
    const aboutAll = /^(watch|server|events)\./.test(event.type);
    if (!aboutAll && !event.serial) events.nameless.push(line);
    if (event.type === 'headers.ready') events.ready += 1;
    if (event.error?.code === 'INTERNAL') events.strange.push(line);
  } catch {
    events.strange.push(line);
  }
}

/** `kh pull --all` over and over. */
async function pullAgain(servers, env, stopped) {
  const runs = [];
  while (!stopped()) {
    const run = await runKh(['pull', '--all', '--json', '--jobs', '16', ...servers, ...TIMEOUT], env);
    runs.push({ ...run, ...outcomesOf(run) });
    await sleep(2000);
  }
  return runs;
}

function outcomesOf({ stdout }) {
  try {
    const { devices = [], error } = JSON.parse(stdout);
    const errors = [
      ...devices.flatMap((device) => device.error ?? []),
      ...(error === undefined ? [] : [error]),
    ];
    return { devices, codes: errors.map(({ code }) => code) };
  } catch {
    return { devices: [], codes: ['no JSON'] };
  }
}

async function judgeAll(found, { home, env, folder }) {
  const { report, runs, events, usage, watch, early, healthyMs, endedAt } = found;
  const workspaces = judge.workspacesOf(home);
  const verified = await runKh(['workspace', 'verify', '--json'], env);
  const bad = runs.filter(
    ({ signal, codes }) => signal !== null || codes.some((code) => code === 'INTERNAL' || code === 'no JSON'),
  );
  const nameless = runs.flatMap(({ devices }) => devices.filter(({ serial }) => !serial));
  const ending = `exit code ${watch.exitCode ?? watch.signal}`;
  return [
    judge.checkHealthy(report, workspaces, healthyMs, endedAt),
    judge.checkSources(report, workspaces),
    await judge.checkTrees(report, home, folder),
    {
      name: 'kh workspace verify',
      seen: `exit code ${verified.exitCode}`,
      wrong: verified.exitCode === 0 ? [] : [verified.stdout.slice(0, 2000)],
    },
    {
      name: 'kh watch ends on SIGTERM',
      seen: ending,
      wrong: watch.exitCode === 0 && early === undefined ? [] : [watch.stderr.slice(-2000)],
    },
    judge.checkFlat(
      'memory of kh watch',
      usage.map(({ memory }) => memory),
      humanBytes,
    ),
    judge.checkFlat(
      'open files of kh watch',
      usage.map(({ files }) => files),
      String,
    ),
    judge.checkNone(
      'bugs that pulls met',
      bad.map(({ codes, stderr }) => `${codes.join(', ')} ${stderr.slice(-500)}`),
    ),
    judge.checkNone('bugs that the watch met', events.strange),
    judge.checkNone('events and results without a serial', [
      ...events.nameless,
      ...nameless.map((one) => JSON.stringify(one)),
    ]),
    judge.checkNone('processes left', found.leftOver),
    judge.checkModules(report, healthyMs, endedAt),
    judge.checkNone('leftovers in staging', judge.namesIn(path.join(home, 'v1', 'tmp'))),
    judge.checkNone('failures of the simulator', report.errors),
  ];
}

function show({ report, runs, events }, checks) {
  const { seconds: troubled = 0, ...counts } = report.counts;
  const what = Object.entries(counts).map(([kind, count]) => `${kind} ${count}`);
  const codes = tally(runs.flatMap(({ codes: all }) => all));
  console.log(`  what happened in ${troubled} s: ${what.join(', ')}`);
  console.log(`  kh watch: ${events.count} events, ${events.ready} workspaces ready`);
  console.log(`  kh pull --all: ${runs.length} runs; failures: ${codes || 'none'}\n`);
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const { name, seen, wrong } of checks) {
    console.log(`  ${wrong.length === 0 ? 'ok    ' : 'FAILED'}  ${name.padEnd(width)}  ${seen}`);
    for (const line of wrong.slice(0, 5)) console.log(`          ${line}`);
    if (wrong.length > 5) console.log(`          … and ${wrong.length - 5} more`);
  }
  const failed = checks.filter(({ wrong }) => wrong.length > 0).length;
  console.log(
    failed === 0 ? '\nall is well' : `\n${failed} of ${checks.length} failed; again with SOAK_SEED=${seed}`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
}

function tally(words) {
  const counts = new Map();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${word} ${count}`).join(', ');
}

function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

main().catch((error) => {
  console.error(`soak: ${error.stack}`);
  process.exit(1);
});
