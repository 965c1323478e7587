'use strict';
// What is done with each of fixtures/modules in the guest, and what must come of it.

const TRACING = '/sys/kernel/tracing';

/**
 * `says` is in the log as the module is loaded, `saysAtLast` as it is removed.
 * `use` are lines of init.c's plan, each with what it must print: all of it, or a
 * pattern. `$P` is the folder of the module's parameters. `since` is the first
 * Linux that has what the module needs; where left out, all have it.
 */
const TRIALS = [
  {
    module: 'hello',
    parameters: 'whom=Debian times=2',
    says: 'hello: hello, Debian',
    use: [
      ['read $P/whom', 'Debian'],
      ['read $P/times', '2'],
    ],
    saysAtLast: 'hello: goodbye, Debian',
  },
  {
    module: 'composite',
    says: 'composite: sum 36, twice 72, step 2, from main',
    saysAtLast: 'composite: done',
  },
  {
    module: 'kh_procfs',
    use: [
      ['read /proc/kh_procfs', 'nothing 7'],
      ['write /proc/kh_procfs abc', ''],
      ['read /proc/kh_procfs', 'abc 3'],
    ],
  },
  {
    module: 'kh_sysfs',
    use: [
      ['read /sys/kernel/kh_sysfs/square', '49'],
      ['write /sys/kernel/kh_sysfs/number 12', ''],
      ['read /sys/kernel/kh_sysfs/square', '144'],
    ],
  },
  {
    module: 'kh_debugfs',
    use: [
      ['write /sys/kernel/debug/kh_debugfs/number 255', ''],
      ['read /sys/kernel/debug/kh_debugfs/bases', '255 ff 377'],
      ['read /sys/kernel/debug/kh_debugfs/twice', '510'],
    ],
  },
  {
    module: 'kh_misc',
    use: [
      ['write /dev/kh_misc kept', ''],
      ['read /dev/kh_misc', 'kept'],
    ],
  },
  {
    module: 'kh_timer',
    use: [
      ['wait 300', ''],
      ['read $P/ticks', /^[1-9]\d*$/],
      ['read $P/beats', /^[1-9]\d*$/],
    ],
    saysAtLast: 'kh_timer: stopped',
  },
  {
    module: 'kh_workqueue',
    use: [
      ['write $P/work 4', ''],
      ['write $P/work 5', ''],
      ['wait 500', ''],
      ['read $P/sum', '9'],
      ['read $P/later', '9'],
    ],
    saysAtLast: 'kh_workqueue: sum 9',
  },
  {
    module: 'kh_kthread',
    use: [
      ['wait 300', ''],
      ['read $P/rounds', /^[1-9]\d*$/],
    ],
    saysAtLast: 'kh_kthread: thread returned 42',
  },
  {
    module: 'kh_tasklet',
    use: [
      ['write $P/run 1', ''],
      ['wait 300', ''],
      ['read $P/in_softirq', 'Y'],
    ],
  },
  {
    module: 'kh_probes',
    use: [
      ['read /proc/uptime', /^\d/],
      ['read $P/entries', '1'],
      ['read $P/returns', '1'],
    ],
    saysAtLast: 'kh_probes: 1 entries, 1 returns, 0 missed',
  },
  {
    module: 'kh_traceable',
    use: [
      [`write ${TRACING}/set_ftrace_filter kh_traceable_work`, ''],
      [`write ${TRACING}/current_tracer function`, ''],
      ['write $P/call 41', ''],
      ['read $P/result', '42'],
      [`read ${TRACING}/trace`, /: kh_traceable_work <-set_call$/m],
      [`write ${TRACING}/current_tracer nop`, ''],
      [`write ${TRACING}/set_ftrace_filter`, ''],
    ],
  },
  {
    module: 'kh_events',
    use: [
      [`write ${TRACING}/events/kh_events/enable 1`, ''],
      ['write $P/say loud', ''],
      ['read $P/traced', 'Y'],
      [`read ${TRACING}/trace`, /kh_events_said: word=loud number=1$/m],
      [`write ${TRACING}/events/kh_events/enable 0`, ''],
    ],
  },
  {
    module: 'kh_static_keys',
    says: 'kh_static_keys: false is false, true is true',
    use: [
      ['read $P/branches', '0101'],
      ['write $P/branches y', ''],
      ['read $P/branches', '1111'],
    ],
  },
  {
    module: 'kh_static_calls',
    use: [
      ['read $P/result', '40'],
      ['write $P/target half', ''],
      ['read $P/result', '10'],
    ],
  },
  { module: 'kh_netfilter', use: [['read $P/pings', '0']] },
  { module: 'kh_netdev', use: [['read /sys/class/net/kh0/statistics/tx_packets', '0']] },
  {
    module: 'kh_platform',
    says: 'kh_platform kh-platform: probed, data 17, second irq 6',
    saysAtLast: 'kh_platform kh-platform: removed',
  },
  { module: 'kh_percpu', use: [['read $P/counters', '2 202 2']] },
  {
    module: 'kh_waiting',
    use: [
      ['write /proc/kh_waiting word', ''],
      ['read $P/waiting', '1'],
      ['read /proc/kh_waiting', 'word'],
      ['read $P/waiting', '0'],
    ],
  },
  { module: 'kh_callbacks', says: 'kh_callbacks: 34 of 34 kinds called' },
  { module: 'kh_faults', says: 'kh_faults: user -14, kernel -14' },
  { module: 'kh_foreign', says: 'kh_foreign: the answer is 42' },
  { module: 'kh_namespace', since: 6, says: 'kh_namespace: outer became [mem 0x00001800-0x00003fff]' },
  { module: 'kh_exporter', saysAtLast: 'kh_exporter: exporter has 5' },
  { module: 'kh_importer', needs: 'kh_exporter', says: 'kh_importer: exporter has 42' },
];

module.exports = { TRIALS };
