import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { BuildResult } from '../../src/app/build-and-load';
import type { LoadedModule } from '../../src/app/load-module';
import type { ErrorReport } from '../../src/core/errors';
import { shellQuote } from '../../src/device/shell-quote';
import { kh, type KhRun } from '../support/kh';
import { tempFolder } from '../support/temp-folder';
import { bootGuest, describeOnRig, stopAdbServer, type Guest } from './support/rig';

const FIXTURES = resolve(__dirname, '../../fixtures/modules');
const GUESTS = [
  { kernel: 'arm64-6.1', user: 'root', headers: 'open' },
  { kernel: 'arm64-6.12', user: 'shell', headers: 'locked' },
  { kernel: 'x86_64-6.1', user: 'root', headers: 'open' },
] as const;

/** One module: how to load and use it, and what then is to be seen. */
interface Fixture {
  /** As the kernel knows it. */
  module: string;
  parameters?: string[];
  /** A line that it logs as it is loaded. */
  says?: string;
  /** For the shell, as root, in the folder of its parameters where it has some. */
  use?: string;
  /** What that prints: all of it, or what it matches. */
  shows?: string | RegExp;
  /** A line that it logs as it is unloaded. */
  saysAtLast?: string | RegExp;
}

const TRACING = '/sys/kernel/debug/tracing';
const PING = 'ping -q -c 1 -W 1';

const ALONE: Fixture[] = [
  {
    module: 'hello',
    parameters: ['whom=the moon', 'times=2'],
    says: 'hello: hello, the moon',
    use: 'cat whom times',
    shows: 'the moon\n2\n',
    saysAtLast: 'hello: goodbye, the moon',
  },
  {
    module: 'composite',
    says: 'composite: sum 36, twice 72, step 2, from main',
    saysAtLast: 'composite: done',
  },
  {
    module: 'kh_procfs',
    use: 'cat /proc/kh_procfs; echo abc >/proc/kh_procfs; cat /proc/kh_procfs',
    shows: 'nothing 7\nabc 3\n',
  },
  {
    module: 'kh_sysfs',
    use: 'cd /sys/kernel/kh_sysfs; cat number square; echo 12 >number; cat square',
    shows: '7\n49\n144\n',
  },
  {
    module: 'kh_debugfs',
    use: 'cd /sys/kernel/debug/kh_debugfs; echo 255 >number; cat number bases twice',
    shows: '255\n255 ff 377\n510\n',
  },
  {
    module: 'kh_misc',
    use: `cd /dev; echo kept >kh_misc; blockdev --getro kh_misc; blockdev --setro kh_misc
      blockdev --getro kh_misc; echo lost >kh_misc || cat kh_misc`,
    shows: '0\n1\nkept\n',
  },
  {
    module: 'kh_timer',
    use: 'sleep 0.3; cat ticks beats',
    shows: /^[1-9]\d+\n[1-9]\d+\n$/,
    saysAtLast: 'kh_timer: stopped',
  },
  {
    module: 'kh_workqueue',
    use: 'echo 4 >work; echo 5 >work; sleep 0.5; cat sum later',
    shows: '9\n9\n',
    saysAtLast: 'kh_workqueue: sum 9',
  },
  {
    module: 'kh_kthread',
    use: 'sleep 0.3; cat rounds; pgrep -l kh_kthread',
    shows: /^[1-9]\d*\n\d+ kh_kthread\n$/,
    saysAtLast: 'kh_kthread: thread returned 42',
  },
  {
    module: 'kh_tasklet',
    use: 'echo 1 >run; sleep 0.3; cat runs in_softirq',
    shows: '1\nY\n',
  },
  {
    module: 'kh_probes',
    use: 'cat /proc/uptime /proc/uptime >/dev/null; cat entries returns returned',
    shows: '2\n2\n0\n',
    saysAtLast: 'kh_probes: 2 entries, 2 returns, 0 missed',
  },
  {
    module: 'kh_traceable',
    use: `p=$PWD; cd ${TRACING}; grep -c kh_traceable_work available_filter_functions
      echo kh_traceable_work >set_ftrace_filter; echo function >current_tracer; echo 41 >$p/call
      cat $p/result; grep -o 'kh_traceable_work <-set_call' trace; echo nop >current_tracer; echo >set_ftrace_filter`,
    shows: '1\n42\nkh_traceable_work <-set_call\n',
  },
  {
    module: 'kh_events',
    use: `p=$PWD; cd ${TRACING}; echo quiet >$p/say; cat $p/traced; echo 1 >events/kh_events/enable
      echo loud >$p/say; cat $p/traced; grep -o 'kh_events_said: .*' trace; echo 0 >events/kh_events/enable`,
    shows: 'N\nY\nkh_events_said: word=loud number=2\n',
  },
  {
    module: 'kh_static_keys',
    says: 'kh_static_keys: false is false, true is true',
    use: 'cat branches; echo y >branches; cat branches; echo n >branches; cat branches',
    shows: '0101\n1111\n0000\n',
  },
  {
    module: 'kh_static_calls',
    use: 'cat result; echo half >target; cat result; echo twice >target; cat result',
    shows: '40\n10\n40\n',
  },
  {
    module: 'kh_netfilter',
    use: `echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range
      ${PING} 127.0.0.1 && echo answered; echo y >drop; ${PING} 127.0.0.1 || echo lost; cat pings`,
    shows: 'answered\nlost\n2\n',
  },
  {
    module: 'kh_netdev',
    use: `echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range
      ifconfig kh0 10.9.9.1 netmask 255.255.255.0 up; ${PING} 10.9.9.2
      cat /sys/class/net/kh0/statistics/tx_packets`,
    shows: '1\n',
  },
  {
    module: 'kh_platform',
    says: 'kh_platform kh-platform: probed, data 17, second irq 6',
    use: 'readlink /sys/bus/platform/devices/kh-platform/driver',
    shows: /\/kh_platform\n$/,
    saysAtLast: 'kh_platform kh-platform: removed',
  },
  {
    module: 'kh_percpu',
    use: 'cat counters counters',
    shows: '2 202 2\n2 204 4\n',
  },
  {
    module: 'kh_waiting',
    use: `cat /proc/kh_waiting & sleep 0.3; echo first >/proc/kh_waiting; wait
      echo second >/proc/kh_waiting; cat waiting /proc/kh_waiting waiting`,
    shows: 'first\n1\nsecond\n0\n',
  },
  { module: 'kh_callbacks', says: 'kh_callbacks: 34 of 34 kinds called' },
  {
    module: 'kh_faults',
    says: 'kh_faults: user -14, kernel -14',
    use: "echo 1 >warn; dmesg | tail -n 40 | grep -o 'set_warn+0x.* \\[kh_faults\\]' | tail -n 1",
    shows: /^set_warn\+0x/,
  },
  { module: 'kh_foreign', says: 'kh_foreign: the answer is 42' },
  { module: 'kh_namespace', says: 'kh_namespace: outer became [mem 0x00001800-0x00003fff]' },
];
const PAIR = ['kh_exporter', 'kh_importer'];

const REFUSED = [
  ['undefined', /undefined symbol "msleeep", .* Did you mean "msleep"\?/],
  ['gpl_only', /"kernel_kobj" is only for modules with a GPL-compatible licence, .* "Proprietary"/],
  ['no_licence', /the module has no MODULE_LICENSE\(\)/],
  ['no_namespace', /"insert_resource_expand_to_fit" from namespace CXL .* add MODULE_IMPORT_NS\(CXL\)/],
  ['compile_error', /kh_compile_error\.c:8:9: error: use of undeclared identifier 'no_such_variable'/],
] as const;

afterAll(stopAdbServer);

interface Outcome {
  result: BuildResult & LoadedModule;
  error: ErrorReport;
}

function outcome(run: KhRun): Outcome {
  return (run.json() as { devices: Outcome[] }).devices[0]!;
}

/** What the module itself logged. */
function said({ log }: LoadedModule): string[] {
  return log.filter(({ kind }) => kind === undefined).map(({ text }) => text);
}

describeOnRig.each(GUESTS)('modules of our own on $kernel, as $user', ({ kernel, user, headers }) => {
  let guest: Guest;
  let home: string;
  let built: string;
  let before: string;
  beforeAll(async () => {
    home = await tempFolder();
    built = join(home, 'built');
    guest = await bootGuest({ kernel, user, headers });
    before = await guest.adb('shell', 'cat /proc/modules');
  });
  afterAll(() => guest[Symbol.asyncDispose]());
  afterEach(async () => {
    expect(await guest.adb('shell', 'cat /proc/modules; ls /data/local/tmp')).toBe(before);
  });

  const run = (...args: string[]) =>
    kh([...args, '-s', guest.serial, '--json'], { home, env: guest.env, timeoutMs: 150_000 });
  const build = (folder: string, ...args: string[]) => run('build-module', join(FIXTURES, folder), ...args);
  const asRoot = (script: string) =>
    guest.adb('shell', user === 'root' ? script : `su root sh -c ${shellQuote(script)}`);

  async function load(module: string, parameters: string[] = []): Promise<string[]> {
    const loaded = await run('load-module', join(built, `${module}.ko`), ...parameters);
    expect(loaded).toExitWith(0);
    return said(outcome(loaded).result);
  }

  async function unload(module: string): Promise<string[]> {
    const unloaded = await run('unload-module', module);
    expect(unloaded).toExitWith(0);
    return said(outcome(unloaded).result);
  }

  it('are built in one go, into a folder of their own, and then there is nothing left to do', async () => {
    const first = await build('.', '-o', built);
    expect(first).toExitWith(0);
    const names = outcome(first).result.modules.map(({ path }) => basename(path, '.ko'));
    expect(names.sort()).toEqual([...ALONE.map(({ module }) => module), ...PAIR].sort());
    const again = await build('.');
    expect(again).toExitWith(0);
    expect(again.stderr).not.toMatch(/^ {2}[A-Z]+ /m);
  });

  it.each(ALONE)('$module works', async (fixture) => {
    const { module, use, saysAtLast } = fixture;
    const lines = await load(module, fixture.parameters);
    if (fixture.says !== undefined) expect(lines).toContain(fixture.says);
    try {
      if (use !== undefined) {
        const printed = await asRoot(`cd /sys/module/${module}/parameters 2>/dev/null; ${use}`);
        if (typeof fixture.shows === 'string') expect(printed).toBe(fixture.shows);
        else expect(printed).toMatch(fixture.shows!);
      }
    } finally {
      const last = await unload(module);
      if (saysAtLast !== undefined) expect(last).toContain(saysAtLast);
    }
  });

  it('may be unloaded while ftrace traces them', async () => {
    await load('kh_traceable');
    const call = 'echo 41 >/sys/module/kh_traceable/parameters/call';
    await asRoot(
      `cd ${TRACING}; echo kh_traceable_work >set_ftrace_filter; echo function >current_tracer; ${call}`,
    );
    await unload('kh_traceable');
    const left = await asRoot(
      `cd ${TRACING}; cat enabled_functions; grep -c kh_traceable available_filter_functions
      echo nop >current_tracer; echo >set_ftrace_filter`,
    );
    expect(left).toBe('0\n');
  });

  it('use one another, in the order in which they need each other', async () => {
    await load('kh_exporter');
    expect(await load('kh_importer')).toContain('kh_importer: exporter has 42');
    const held = await run('unload-module', 'kh_exporter');
    expect(outcome(held).error).toMatchObject({ code: 'MODULE_IN_USE', details: { users: ['kh_importer'] } });
    await unload('kh_importer');
    expect(await unload('kh_exporter')).toContain('kh_exporter: exporter has 42');
  });

  it('use one another when they were built apart', async () => {
    const exporter = await build('exporter', '--load');
    expect(exporter).toExitWith(0);
    const { path } = outcome(exporter).result.modules[0]!;
    const symvers = join(dirname(path), 'Module.symvers');
    const importer = await build('importer', `KBUILD_EXTRA_SYMBOLS=${symvers}`, '--load');
    expect(importer).toExitWith(0);
    expect(said(outcome(importer).result.loaded![0]!)).toContain('kh_importer: exporter has 42');
    await unload('kh_importer');
    await unload('kh_exporter');
  });

  it('are built with what is handed to make, and loaded', async () => {
    const run = await build('foreign', 'FOREIGN_ANSWER=7', '--load');
    expect(run).toExitWith(0);
    expect(said(outcome(run).result.loaded![0]!)).toEqual(['kh_foreign: the answer is 7']);
    await unload('kh_foreign');
  });

  it('are loaded with what the kernel says on stderr, and their paths alone on stdout', async () => {
    const args = [
      'build-module',
      join(FIXTURES, 'foreign'),
      'FOREIGN_ANSWER=7',
      '--load',
      '-s',
      guest.serial,
    ];
    const shown = await kh(args, { home, env: guest.env, timeoutMs: 150_000 });
    expect(shown).toExitWith(0);
    expect(shown.stdout).toMatch(/^\/\S+\.ko\n$/);
    expect(shown.stderr).toContain(`${guest.serial}: kernel: kh_foreign: the answer is 7\n`);
    await unload('kh_foreign');
  });

  it.each(REFUSED)('are not loaded when they must not be built: %s', async (folder, message) => {
    const refused = await build(join('refused', folder), '--load');
    expect(refused).toExitWith(8);
    expect(outcome(refused).error).toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringMatching(message) as string,
    });
  });

  it('are not built with the CRCs of another kernel', async () => {
    const good = gunzipSync(
      readFileSync(join(process.env['KH_RIG']!, 'kernels', kernel, 'Module.symvers.gz')),
    );
    const spoilt = join(home, 'spoilt.symvers');
    writeFileSync(spoilt, good.toString().replace(/^0x[0-9a-f]{8}(?=\t_printk\t)/m, '0x00bad00d'));
    const refused = await build('hello', '--load', '--symvers', spoilt);
    expect(refused).toExitWith(8);
    expect(outcome(refused).error).toMatchObject({
      code: 'BUILD_BAD_SYMVERS',
      details: { symbol: '_printk' },
    });
  });

  it('are not built by a compiler without a flag that the kernel crashes without', async () => {
    const compiler = join(home, 'cc');
    writeFileSync(
      compiler,
      `#!/bin/sh\ncase " $* " in *" -fsanitize=kcfi "*) exit 1;; esac\nexec clang-16 "$@"\n`,
    );
    chmodSync(compiler, 0o755);
    const refused = await build('hello', '--load', '--cc', compiler);
    expect(refused).toExitWith(8);
    expect(outcome(refused).error).toMatchObject({
      code: 'BUILD_FLAG_MISSING',
      details: { flags: ['-fsanitize=kcfi'], config: 'CFI_CLANG' },
    });
  });

  it('are not half built in a folder that make cannot work with', async () => {
    const source = join(home, 'my module: v2');
    cpSync(join(FIXTURES, 'hello'), source, { recursive: true });
    const refused = await run('build-module', source, '--load');
    expect(refused).toExitWith(8);
    expect(outcome(refused).error).toMatchObject({
      code: 'BUILD_BAD_PATH',
      message: expect.stringMatching(/make cannot work in a folder with a space in its path/) as string,
    });
    expect(refused.stderr).not.toMatch(/^ {2}[A-Z]+ /m);
  });

  it('leave a kernel that did not complain', async () => {
    expect(await asRoot("dmesg | grep -E 'Oops|BUG|CFI failure|Unpatched|rcu_.*stall' || true")).toBe('');
  });
});

describeOnRig('a device that lets no one read its kernel', () => {
  let guest: Guest;
  let home: string;
  beforeAll(async () => {
    home = await tempFolder();
    guest = await bootGuest({ kernel: 'arm64-6.1', user: 'shell', su: 'no' });
  });
  afterAll(() => guest[Symbol.asyncDispose]());

  const build = (...args: string[]) =>
    kh(['build-module', join(FIXTURES, 'hello'), '-s', guest.serial, '--json', ...args], {
      home,
      env: guest.env,
      timeoutMs: 150_000,
    });

  it('takes a module once someone has its kernel or its symbols: the error says who', async () => {
    const refused = await build();
    expect(refused).toExitWith(8);
    const { error } = outcome(refused);
    expect(error.code).toBe('SYMVERS_UNAVAILABLE');
    expect(`${error.message} ${error.hint}`).toMatch(/--boot-image/);
    expect(`${error.message} ${error.hint}`).toMatch(/--symvers/);
    expect(`${error.message} ${error.hint}`).toMatch(/root/);
  });

  it('takes one that was built with its kernel image', async () => {
    const image = join(process.env['KH_RIG']!, 'kernels', 'arm64-6.1', 'Image.gz');
    const run = await build('--boot-image', image);
    expect(run).toExitWith(0);
    expect(outcome(run).result.modules).toEqual([
      { path: expect.stringMatching(/hello\.ko$/) as string, findings: [] },
    ]);
  });
});
