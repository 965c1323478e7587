'use strict';
// Loaded into a process with `node --require`: writes the most memory that it
// ever had resident, in bytes, to the file that KH_BENCH_PEAK_FILE names.
// Children of the process, such as xz, do not count.
const fs = require('node:fs');
const { isMainThread } = require('node:worker_threads');

const file = process.env.KH_BENCH_PEAK_FILE;
if (isMainThread && file !== undefined) {
  delete process.env.KH_BENCH_PEAK_FILE;
  process.on('exit', () => fs.writeFileSync(file, String(peakBytes())));
}

/**
 * Linux counts what a process had before exec() into its ru_maxrss, and so the
 * memory of the process that started it; VmHWM (proc_pid_status(5)) begins anew.
 */
function peakBytes() {
  if (process.platform === 'linux') {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'));
    if (line !== null) return Number(line[1]) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
}
