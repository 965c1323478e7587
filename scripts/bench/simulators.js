'use strict';
// Simulated labs in a process of their own, so that serving devices does not
// delay the clock of the process that measures. Also the program of that process.
const { fork } = require('node:child_process');
const { startSimulator } = require('../../dist/simulator/simulator');

/**
 * Starts one adb server for each of `counts`, with so many devices that have `archive`.
 *
 * @returns {Promise<{ ports: number[], stop: () => void }>}
 */
function startSimulators(counts, archive, release) {
  const child = fork(module.filename, [JSON.stringify({ counts, archive, release })]);
  return new Promise((resolve, reject) => {
    child.once('message', (ports) => resolve({ ports, stop: () => child.disconnect() }));
    child.once('exit', (code) => reject(new Error(`the simulator ended with exit code ${code}`)));
  });
}

async function serve({ counts, archive, release }) {
  process.once('disconnect', () => process.exit(0));
  process.on('SIGINT', () => undefined); // the process that measures says when to stop
  const ports = [];
  for (const count of counts) {
    const headers = { kind: 'built-in', archive };
    const device = { serial: 'SIM#', count, kernel: { release }, headers, user: 'shell' };
    ports.push((await startSimulator({ devices: [device] })).port);
  }
  process.send(ports);
}

/** The serials of a lab of `count`. */
function serialsOf(count) {
  return Array.from({ length: count }, (_, n) => `SIM${n + 1}`);
}

if (require.main === module) void serve(JSON.parse(process.argv[2]));

module.exports = { serialsOf, startSimulators };
