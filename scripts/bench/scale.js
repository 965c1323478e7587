'use strict';
// How kh grows with a lab: `kh pull --all` into an empty store, for labs of
// several sizes with one kernel and with eight. Also the program of the process
// that simulates a lab.
const { fork } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { humanBytes } = require('../../dist/core/human');
const { startSimulator } = require('../../dist/simulator/simulator');
const { timedNode } = require('./commands');

const SIZES = [1, 10, 50, 200];
const KERNELS = [1, 8];
/** Milliseconds that one more device of a known kernel may cost, and bytes that the largest lab may take. */
const TARGETS = { perDevice: 30, peakBytes: 250 * 2 ** 20 };

/** Runs all labs, each `runs` times. @returns a row for each: the median of the times, the highest peak, the bytes */
async function measureScale(archive, release, runs, scratch) {
  const rows = [];
  for (const kernels of KERNELS) {
    for (const devices of SIZES.filter((size) => size >= kernels))
      rows.push(await measureLab({ devices, kernels, archive, release }, runs, scratch));
  }
  return { rows, perDevice: KERNELS.map((kernels) => perDevice(rows, kernels)) };
}

async function measureLab(lab, runs, scratch) {
  const samples = [];
  for (let run = 0; run < runs; run += 1) {
    const simulator = await startLab(lab);
    const dir = scratch.folder();
    const words = ['bin/run.js', 'pull', '--all', '-P', String(simulator.port)];
    const { milliseconds, peakBytes } = await timedNode(words, dir, { KH_HOME: path.join(dir, 'home') });
    samples.push({ milliseconds, peakBytes, ...(await simulator.stop()) });
    scratch.release(dir);
  }
  const sorted = samples.map(({ milliseconds }) => milliseconds).sort((one, other) => one - other);
  return {
    devices: lab.devices,
    kernels: lab.kernels,
    median: sorted[sorted.length >> 1],
    peakBytes: Math.max(...samples.map(({ peakBytes }) => peakBytes)),
    bytes: samples[0].bytes,
    transfers: samples[0].transfers,
  };
}

/** What a device costs beyond the first ten: all their kernels are known by then. */
function perDevice(rows, kernels) {
  const time = (devices) => rows.find((row) => row.kernels === kernels && row.devices === devices).median;
  return { kernels, milliseconds: (time(200) - time(10)) / 190 };
}

function startLab(lab) {
  const child = fork(module.filename, [JSON.stringify(lab)]);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the simulator ended with exit code ${code}`)));
    child.once('message', (port) =>
      resolve({
        port,
        stop: () =>
          new Promise((done) => {
            child.once('message', (counted) => {
              child.disconnect();
              done(counted);
            });
            child.send('count');
          }),
      }),
    );
  });
}

/** Each kernel has an archive of its own: the given one, with more or less of the zeros that may follow an xz stream. */
async function serve({ devices, kernels, archive, release }) {
  process.once('disconnect', () => process.exit(0));
  process.on('SIGINT', () => undefined); // the process that measures says when to stop
  const bytes = fs.readFileSync(archive);
  const archives = Array.from({ length: kernels }, (_, n) => Buffer.concat([bytes, Buffer.alloc(4 * n)]));
  const described = Array.from({ length: devices }, (_, n) => ({
    serial: `SIM${n}`,
    kernel: { release, version: `#${n % kernels} SMP PREEMPT` },
    headers: { kind: 'built-in', archive: archives[n % kernels] },
  }));
  const simulator = await startSimulator({ devices: described });
  process.on('message', () => {
    const counters = simulator.devices.map(({ counters: counted }) => counted);
    process.send({
      bytes: counters.reduce((sum, { bytesSent }) => sum + bytesSent, 0),
      transfers: counters.reduce((sum, { recvCompleted }) => sum + recvCompleted, 0),
    });
  });
  process.send(simulator.port);
}

function scaleText({ rows, perDevice: costs }) {
  const lines = rows.map(({ devices, kernels, median, peakBytes, bytes }) =>
    [
      String(devices).padStart(7),
      String(kernels).padStart(7),
      `${(median / 1000).toFixed(2)} s`.padStart(9),
      humanBytes(peakBytes).padStart(11),
      humanBytes(bytes).padStart(11),
    ].join('  '),
  );
  const peak = Math.max(...rows.map(({ peakBytes }) => peakBytes));
  const verdict = (value, target) => (value <= target ? 'ok' : 'missed');
  return [
    'kh pull --all into an empty store',
    'devices  kernels  wall time  peak memory  transferred',
    ...lines,
    ...costs.map(
      ({ kernels, milliseconds }) =>
        `one more device of a known kernel, ${kernels} in all: ${milliseconds.toFixed(1)} ms, ≤ ${TARGETS.perDevice} ms ${verdict(milliseconds, TARGETS.perDevice)}`,
    ),
    `most memory: ${humanBytes(peak)}, ≤ 250 MB ${verdict(peak, TARGETS.peakBytes)}`,
    '',
  ].join('\n');
}

if (require.main === module) void serve(JSON.parse(process.argv[2]));

module.exports = { measureScale, scaleText };
