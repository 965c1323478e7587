'use strict';
// The devices of a soak, behind several adb servers, in a process of their own;
// also the program of that process. While there is unrest, some of them vanish,
// hang, reboot into another kernel, change their serial or give wrong bytes
// each second, by a seed, and now and then a server is restarted.
const { createHash } = require('node:crypto');
const { fork } = require('node:child_process');
const { makeSampleArchive } = require('../../dist/archive/sample-archive');
const { startSimulator } = require('../../dist/simulator/simulator');

const RELEASES = [
  '6.1.145-android14-11-gc1de4747ac59-ab14219743',
  '6.1.157-android14-11-g3fa1e0c2d4b5-ab14450871',
  '6.12.38-android16-5-gb575a0b6e647-ab14355190-4k',
  '6.6.66-android15-8-g2d1b0a4c7e9f-ab12876551',
  '6.6.30-android15-8-gdd9c02ccfe27-ab11987101',
  '5.15.148-android13-8-g1c2aa53515b7-ab11932512',
  '5.10.198-android12-9-00001-g4cf5b1a2e3d0',
];
const VERSION = '#1 SMP PREEMPT Thu Jan  1 00:00:00 UTC 2024';
/** The last two kernels have one release: only the version, and the archive, tell them apart. */
const KERNELS = [
  ...RELEASES.map((release) => ({ release, version: VERSION })),
  { release: RELEASES.at(-1), version: '#2 SMP PREEMPT Fri Jan  2 00:00:00 UTC 2024' },
];

/** How much of the unrest falls on so many devices each second. */
const SHARE = 0.03;
const SERVER_RESTART = { everySeconds: 40, downMs: 400 };

/** Starts the process. @returns its servers' ports, and what it can be asked for */
function startRack(options) {
  const child = fork(module.filename, [JSON.stringify(options)]);
  const waiting = [];
  child.on('message', (answer) => waiting.shift()?.(answer));
  const ask = (question) =>
    new Promise((resolve, reject) => {
      waiting.push(resolve);
      child.once('exit', (code) => reject(new Error(`the simulated devices ended with exit code ${code}`)));
      if (question !== undefined) child.send(question);
    });
  return ask().then((ports) => ({
    ports,
    pid: child.pid,
    /** No more happens to a device; what is under way comes to its end. */
    calm: () => ask('calm'),
    /** What became of each device, the source of each kernel's archive, and failures of the simulator. */
    report: () => ask('report'),
    stop: () => child.disconnect(),
  }));
}

async function serve({ seed, servers, devices, folder }) {
  process.once('disconnect', () => process.exit(0));
  process.on('SIGINT', () => undefined); // the process that started this one says when to stop
  const images = await makeImages(folder);
  const next = generator(seed);
  const simulators = [];
  const fleet = [];
  for (let server = 0; server < servers; server += 1) {
    const count = Math.floor((devices + server) / servers);
    const described = Array.from({ length: count }, (_, n) => description(server, n, images));
    const simulator = await startSimulator({ devices: described.map(({ device }) => device) });
    simulators.push(simulator);
    simulator.devices.forEach((handle, n) =>
      fleet.push({ server, handle, ...described[n], troubledUntil: 0, counts: {} }),
    );
  }
  const counts = { restart: 0 };
  const unrest = globalThis.setInterval(() => trouble({ fleet, simulators, images, next, counts }), 1000);
  process.on('message', (question) => {
    if (question === 'calm') globalThis.clearInterval(unrest);
    process.send(question === 'calm' ? 'calm' : report(fleet, images, simulators, counts));
  });
  process.send(simulators.map(({ port }) => port));
}

/** Each kernel with its archive, and where that is on disk for comparing. */
async function makeImages(folder) {
  const { writeFileSync } = require('node:fs');
  const { join } = require('node:path');
  const images = [];
  for (const [n, kernel] of KERNELS.entries()) {
    const archive = await makeSampleArchive({ release: kernel.release, extraHeaders: 40 + n });
    const source = join(folder, `source-${n}.tar.xz`);
    writeFileSync(source, archive);
    images.push({ kernel, archive, source, sha256: createHash('sha256').update(archive).digest('hex') });
  }
  return images;
}

function description(server, n, images) {
  const serialno = `SOAK${server}${String(n).padStart(3, '0')}`;
  const image = n % images.length;
  const inModule = n % 4 === 3;
  const device = {
    serial: serialno,
    ...boot(images[image], inModule),
    su: inModule ? 'magisk' : 'none',
    speed: 4_000_000,
    latency: 5,
  };
  return { device, image, inModule, names: [serialno, `10.0.${server}.${n}:5555`] };
}

function boot({ kernel, archive }, inModule) {
  return { kernel, headers: { kind: inModule ? 'module' : 'built-in', archive } };
}

/** One second of it. */
function trouble({ fleet, simulators, images, next, counts }) {
  counts.seconds = (counts.seconds ?? 0) + 1;
  const upTo = (most) => Math.floor(next() * most);
  const some = Math.max(1, Math.round(fleet.length * SHARE));
  for (let n = 0; n < some; n += 1) {
    const one = fleet[upTo(fleet.length)];
    const kind = Object.keys(TROUBLES)[upTo(Object.keys(TROUBLES).length)];
    const forMs = 500 + upTo(12_000);
    counts[kind] = (counts[kind] ?? 0) + 1;
    one.troubledUntil = Math.max(one.troubledUntil, Date.now() + forMs);
    TROUBLES[kind](one, forMs, { images, upTo });
  }
  if (counts.seconds % SERVER_RESTART.everySeconds === 0) {
    counts.restart += 1;
    const server = upTo(simulators.length);
    for (const one of fleet.filter((each) => each.server === server))
      one.troubledUntil = Math.max(one.troubledUntil, Date.now() + SERVER_RESTART.downMs);
    void simulators[server].restart(SERVER_RESTART.downMs);
  }
}

const TROUBLES = {
  vanish: ({ handle }, forMs) => handle.unplug(forMs),
  hang: ({ handle }, forMs) => handle.hang(forMs),
  reboot: (one, forMs, { images, upTo }) => {
    one.image = upTo(images.length);
    void one.handle.rebootInto(boot(images[one.image], one.inModule), Math.min(forMs, 3000));
  },
  rename: ({ handle, names }) => handle.rename(names.find((name) => name !== handle.serial)),
  corrupt: ({ handle }, forMs) => {
    const over = ['recv', 'exec'].map((on) =>
      handle.addFault({ on, kind: 'corrupt', match: 'kheaders', at: 999 }),
    );
    setTimeout(() => over.forEach((end) => end()), forMs);
  },
  'cut off': ({ handle }, forMs) => {
    const end = handle.addFault({ on: 'any', kind: 'close', at: 200 });
    setTimeout(end, forMs);
  },
};

function report(fleet, images, simulators, counts) {
  return {
    counts,
    sources: images.map(({ kernel, sha256, source }) => ({ ...kernel, sha256, source })),
    devices: fleet.map(({ server, handle, image, troubledUntil }) => ({
      server,
      serial: handle.serial,
      serialno: handle.serialno,
      release: images[image].kernel.release,
      version: images[image].kernel.version,
      sha256: images[image].sha256,
      healthySince: troubledUntil,
      modules: handle.modules(),
    })),
    errors: simulators.flatMap(({ errors }) => errors.map(String)),
  };
}

/** Mulberry32: numbers from 0 up to 1, the same for a seed. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let stirred = Math.imul(state ^ (state >>> 15), state | 1);
    stirred ^= stirred + Math.imul(stirred ^ (stirred >>> 7), stirred | 61);
    return ((stirred ^ (stirred >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (require.main === module) void serve(JSON.parse(process.argv[2]));

module.exports = { startRack };
