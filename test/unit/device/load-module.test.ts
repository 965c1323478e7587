import { KhError } from '../../../src/core/errors';
import type { Access } from '../../../src/device/access';
import { insertModule, type ModuleToLoad } from '../../../src/device/load-module';
import { removeModule } from '../../../src/device/unload-module';
import { fakeDevice, recordedWork, type Answers } from './support/fake-device';

const HELLO: ModuleToLoad = {
  module: 'hello',
  shown: 'out/hello.ko',
  bytes: Buffer.from('the module'),
  parameters: ['count=3', "who=it's"],
  suspicions: { missing: [] },
};

/** A phone that answers insmod and rmmod so, and whose kernel logs these lines meanwhile. */
function phone({ says = 'exit 0', log = [] as string[], modules = '', su = false } = {}) {
  let mark = '';
  const answers: Answers = [
    [
      /^\{ echo/,
      (line) => {
        mark = `[    1.000000] ${/echo '(.*)' >\/dev\/kmsg/.exec(line)![1]!}`;
        return mark;
      },
    ],
    [/insmod|rmmod/, says],
    [/^grep/, modules],
    [/^dmesg/, () => ['[    0.500000] old', mark, ...log.map((text) => `[    2.000000] ${text}`)].join('\n')],
  ];
  const device = fakeDevice({ answers });
  const sent: { path: string; mode: number; content: string }[] = [];
  device.send = async (path, mode, chunks) => {
    let content = '';
    for await (const chunk of chunks) content += chunk.toString();
    sent.push({ path, mode, content });
  };
  const access: Access = su
    ? { adb: device, privilege: 'su', dialect: 'aosp', root: true }
    : { adb: device, privilege: 'adb-root', root: true };
  return { device, access, sent, work: recordedWork() };
}

describe('insertModule', () => {
  it('sends the file under a name of its own, which is gone before insmod reads it', async () => {
    const { access, sent, work, device } = phone();
    await insertModule(access, HELLO, work);
    expect(sent).toEqual([
      {
        path: expect.stringMatching(/^\/data\/local\/tmp\/kh-[0-9a-f]{16}\.ko$/) as string,
        mode: 0o400,
        content: 'the module',
      },
    ]);
    const path = sent[0]!.path;
    const [line] = device.commandLines;
    expect(device.commandLines).toHaveLength(1);
    expect(line).toContain(`{ rm -f ${path}; insmod /proc/self/fd/0 count=3 'who=it'\\''s'; } 2>&1 <${path}`);
  });

  it('gives only what the kernel logged meanwhile, explained', async () => {
    const { access, work } = phone({
      log: ['hello: loading out-of-tree module taints kernel.', 'hello: hi'],
    });
    expect(await insertModule(access, HELLO, work)).toEqual([
      expect.objectContaining({
        seconds: 2,
        kind: 'note',
        text: expect.stringContaining('taints') as string,
      }),
      { seconds: 2, text: 'hello: hi' },
    ]);
    expect(work.events).toEqual([]);
  });

  it('tells why the kernel refused it, and reports each line', async () => {
    const { access, work } = phone({
      says: 'insmod: failed to load /proc/self/fd/0: Invalid argument\nexit 1',
      log: ['other: noise', "hello: `abc' invalid for parameter `count'"],
      su: true,
    });
    await expect(insertModule(access, HELLO, work)).rejects.toMatchObject({
      code: 'MODULE_REFUSED',
      message: "FAKE: the kernel did not load out/hello.ko: hello: `abc' invalid for parameter `count'",
      hint: expect.stringMatching(/^The parameter count does not take "abc"\. /) as string,
      details: { exitCode: 1, output: 'insmod: failed to load out/hello.ko: Invalid argument' },
    });
    expect(work.events.map((event) => event.type)).toEqual(['kernel.said', 'kernel.said']);
  });

  it('goes by what insmod says where the kernel logged nothing', async () => {
    const { access, work } = phone({
      says: 'insmod: failed to load /proc/self/fd/0: No such device\nexit 1',
    });
    await expect(insertModule(access, HELLO, work)).rejects.toMatchObject({
      message: expect.stringContaining('No such device') as string,
      hint: expect.stringContaining('init function returned') as string,
    });
  });

  it.each([
    [
      { missing: ['llc', 'stp'] },
      'hello: Unknown symbol llc_sap_open (err -2)',
      /^It needs llc, stp, which is not loaded/,
    ],
    [
      { missing: [], builtFor: '5.15.1' },
      'hello: disagrees about version of symbol module_layout',
      /^It was built for kernel 5\.15\.1, /,
    ],
    [
      { missing: ['llc'], builtFor: '5.15.1' },
      'hello: Protected symbol: x (err -13)',
      /^This GKI kernel keeps x/,
    ],
  ])('blames what was known before where the kernel says the same (%#)', async (suspicions, line, hint) => {
    const { access, work } = phone({ says: 'insmod: x\nexit 1', log: [line] });
    await expect(insertModule(access, { ...HELLO, suspicions }, work)).rejects.toMatchObject({
      hint: expect.stringMatching(hint) as string,
    });
  });

  it('does not take what other drivers log meanwhile for the reason', async () => {
    const { access, work } = phone({
      says: 'insmod: failed to load /proc/self/fd/0: Invalid argument\nexit 1',
      log: [
        'WARNING: CPU: 1 PID: 7 at drivers/other.c:1',
        'other: Unknown symbol x (err -2)',
        'hello: disagrees about version of symbol y',
      ],
    });
    await expect(insertModule(access, HELLO, work)).rejects.toMatchObject({
      code: 'MODULE_REFUSED',
      message: expect.stringContaining('hello: disagrees about version of symbol y') as string,
    });
  });

  it('calls it loaded where another load came first', async () => {
    const { access, work } = phone({
      says: 'insmod: failed to load /proc/self/fd/0: File exists\nexit 1',
      modules: 'hello 16384 0 - Live 0x0',
    });
    await expect(insertModule(access, HELLO, work)).rejects.toMatchObject({ code: 'MODULE_LOADED' });
  });

  it('calls it a crash where an oops ended insmod', async () => {
    const { access, work } = phone({
      says: 'Segmentation fault\nexit 139',
      log: [
        'CFI failure at do_one_initcall+0x5c/0x2b8 (target: init_module+0x0/0x8; expected type: 0x36b1c5a6)',
      ],
      modules: 'hello 16384 1 - Loading 0x0',
    });
    await expect(insertModule(access, HELLO, work)).rejects.toMatchObject({
      code: 'MODULE_CRASHED',
      hint: expect.stringContaining('-fsanitize=kcfi') as string,
    });
  });

  it('says that a device that is lost meanwhile may have panicked', async () => {
    const { device, access, work } = phone();
    device.run = () => Promise.reject(new KhError('DEVICE_LOST', { serial: 'FAKE', message: 'lost' }));
    await expect(insertModule(access, HELLO, work)).rejects.toMatchObject({
      code: 'DEVICE_LOST',
      message: 'FAKE: lost: the kernel may have panicked',
      hint: expect.stringContaining('/sys/fs/pstore') as string,
    });
    expect(work.events.at(-1)).toMatchObject({
      type: 'warning',
      message: expect.stringContaining('may be left on the device') as string,
    });
  });

  it('says that the init function hangs where insmod does not end, and tells the log until then', async () => {
    const { device, access, work } = phone({ log: ['hello: waiting'] });
    const run = device.run.bind(device);
    device.run = async (commandLine, options) => {
      const output = await run(commandLine, options);
      if (!commandLine.includes('insmod')) return output;
      throw new KhError('TIMEOUT', { serial: 'FAKE', message: 'timed out' });
    };
    await expect(insertModule(access, HELLO, work)).rejects.toMatchObject({
      code: 'TIMEOUT',
      hint: expect.stringContaining('init function of out/hello.ko') as string,
    });
    expect(work.events).toEqual([{ type: 'kernel.said', serial: 'FAKE', text: 'hello: waiting' }]);
    expect(device.commandLines.at(-1)).toMatch(/^rm -f \/data\/local\/tmp\/kh-/);
  });

  it('removes the file when it was stopped, or when not all of it arrived', async () => {
    const stop = new AbortController();
    const stopped = phone();
    const run = stopped.device.run.bind(stopped.device);
    stopped.device.run = (commandLine, options) => {
      if (!commandLine.includes('insmod')) return run(commandLine, options);
      stop.abort(new Error('stopped'));
      return Promise.reject(options.signal.reason as Error);
    };
    const work = { ...stopped.work, signal: stop.signal };
    await expect(insertModule(stopped.access, HELLO, work)).rejects.toThrow('stopped');
    expect(stopped.device.commandLines).toEqual([`rm -f ${stopped.sent[0]!.path}`]);

    const full = phone();
    full.device.send = () => Promise.reject(new KhError('REMOTE_IO', { message: 'No space left on device' }));
    await expect(insertModule(full.access, HELLO, full.work)).rejects.toMatchObject({ code: 'REMOTE_IO' });
    expect(full.device.commandLines).toEqual([expect.stringMatching(/^rm -f /)]);
  });
});

describe('removeModule', () => {
  it('gives what the kernel logged', async () => {
    const { access, work, device } = phone({ log: ['hello: bye'] });
    expect(await removeModule(access, 'hello', work)).toEqual([{ seconds: 2, text: 'hello: bye' }]);
    expect(device.commandLines[0]).toContain('rmmod hello 2>&1');
  });

  it.each([
    ['hello 16384 2 world,[permanent], Live 0x0', /has no exit function/, /module_exit/],
    ['hello 16384 2 world,there, Live 0x0', /is in use by world, there$/, /^Unload world, there first/],
    ['hello 16384 1 - Live 0x0', /is in use by 1 user that the kernel does not name/, /open file/],
    ['hello 16384 3 world, Live 0x0', /in use by world and by 2 users/, /^Unload world first/],
  ])('says who holds %j', async (modules, message, hint) => {
    const { access, work } = phone({ says: 'rmmod: failed to unload hello: Try again\nexit 1', modules });
    await expect(removeModule(access, 'hello', work)).rejects.toMatchObject({
      code: 'MODULE_IN_USE',
      message: expect.stringMatching(message) as string,
      hint: expect.stringMatching(hint) as string,
    });
  });

  it('quotes rmmod where nothing holds it', async () => {
    const { access, work } = phone({
      says: 'rmmod: failed to unload hello: Operation not permitted\nexit 1',
      modules: 'hello 16384 0 - Live 0x0',
    });
    await expect(removeModule(access, 'hello', work)).rejects.toMatchObject({
      code: 'MODULE_REFUSED',
      message: expect.stringContaining('Operation not permitted') as string,
    });
  });
});
