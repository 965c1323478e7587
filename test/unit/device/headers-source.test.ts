import type { AdbDevice } from '../../../src/adb/adb-device';
import { KhError } from '../../../src/core/errors';
import { locateHeaders, type EnterModuleUse, type HeadersSource } from '../../../src/device/headers-source';
import type { PrivilegeChoice } from '../../../src/device/privilege';
import { probeDevice } from '../../../src/device/probe';
import { fakeDevice, recordedWork, type Answers, type FakeDevice } from './support/fake-device';

const SYSFS = '/sys/kernel/kheaders.tar.xz';
const KO = '/system_dlkm/lib/modules/6.1.145/kheaders.ko';
const UNAME: Answers[number] = [/^uname/, '6.1.145 #1 SMP aarch64'];

/** A phone whose module appears in /proc/modules once loaded, and whose root is had by `root`. */
function phoneWithModule({
  root,
  loadable = true,
  modules = KO,
}: {
  root: 'adb' | 'su' | 'none';
  loadable?: boolean;
  /** Where there is one: each on a line. The kernel takes that in KO. */
  modules?: string;
}) {
  const state = { adbdIsRoot: false, loaded: false, readers: false, unloadable: false };
  const isLoaded = () => (state.loaded ? 'yes' : '');
  const su = (line: string) => (root === 'su' && line.startsWith('su 0 ') ? '0' : 'su: not found');
  const answers: Answers = [
    UNAME,
    [/^su (0|-c)/, su],
    [
      /modprobe/,
      (line) => {
        state.loaded ||= loadable && line.includes(KO);
        return state.loaded ? '' : 'modprobe: Failed; Exec format error';
      },
    ],
    [/for try/, () => (state.readers ? 'yes' : '')],
    [/rmmod/, () => ((state.loaded &&= state.unloadable), state.unloadable ? 'rmmod: busy' : '')],
    [/^stat/, () => (state.loaded ? `5 ${SYSFS}` : 'No such file or directory')],
    [/^for path/, () => (state.loaded ? SYSFS : '')],
    [/^if \[ ! -e/, () => (state.loaded ? '' : modules)],
    [/^while read|^if grep -q "\^kheaders/, isLoaded],
    [/id -u/, () => (state.adbdIsRoot ? '0' : '2000')],
    [/^md5sum/, `0123456789abcdef0123456789abcdef  ${SYSFS}`],
  ];
  const device = fakeDevice({ answers, files: { [SYSFS]: Buffer.from('bytes') } });
  device.restartAsRoot = () => {
    state.adbdIsRoot = root === 'adb';
    return Promise.resolve(root === 'adb' ? 'restarting' : 'refused');
  };
  return { device, state };
}

async function locate(
  device: FakeDevice,
  privilege: PrivilegeChoice = 'auto',
  enter: EnterModuleUse = soleUse,
  signal = new AbortController().signal,
) {
  const work = { ...recordedWork(), signal };
  const probe = await probeDevice({ adb: device, privilege: 'plain', root: false }, { signal: work.signal });
  const options = { privilege, enterModuleUse: enter, reopen: (adb: AdbDevice) => Promise.resolve(adb) };
  return { work, source: () => locateHeaders(device, probe, options, work) };
}

const soleUse: EnterModuleUse = async (load) => {
  let ours = false;
  await load({
    write: async () => {
      ours = true;
    },
    strike: async () => {
      ours = false;
    },
  });
  return {
    leave: async (unload) => {
      if (!ours) return 'not-ours';
      await unload();
      return 'unloaded';
    },
  };
};

/** A use after others of which one had loaded the module. */
const lastOfSeveral: EnterModuleUse = async (load) => {
  await load({ write: () => Promise.resolve(), strike: () => Promise.resolve() });
  return { leave: (unload) => unload().then(() => 'unloaded' as const) };
};

async function content(source: HeadersSource): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of source.read({ signal: new AbortController().signal })) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('locateHeaders', () => {
  it('reads a built-in archive as it is, without asking for root', async () => {
    const device = fakeDevice({
      answers: [UNAME, [/^stat/, `5 ${SYSFS}`], [/^for path/, SYSFS], [/^md5sum/, 'no such tool']],
      files: { [SYSFS]: Buffer.from('bytes') },
    });
    const { source, work } = await locate(device);
    await using found = await source();
    expect(found).toMatchObject({ path: SYSFS, origin: 'built-in', bytes: 5 });
    expect(await content(found)).toBe('bytes');
    expect(await found.deviceMd5()).toBeUndefined();
    expect(work.events.map(({ type }) => type)).toEqual(['headers.located']);
  });

  it('climbs by su where the archive is denied, and reads it through su', async () => {
    const device = fakeDevice({
      answers: [
        UNAME,
        [/^su 0 sh -c 'id -u'/, '0'],
        [/^su 0 sh -c 'cat/, 'by su'],
        [/^stat/, `5 ${SYSFS}`],
        [/^for path/, () => (device.commandLines.at(-1)?.startsWith('su ') ? SYSFS : '')],
      ],
    });
    const { source, work } = await locate(device);
    await using found = await source();
    expect(await content(found)).toBe('by su\n');
    expect(work.events).toContainEqual({ type: 'privilege.raised', serial: 'FAKE', privilege: 'su' });
  });

  it('says that the archive is there but denied, and what would help, where no root is to be had', async () => {
    const device = fakeDevice({ answers: [UNAME, [/^stat/, `5 ${SYSFS}`], [/^su/, 'su: not found']] });
    const { source } = await locate(device);
    await expect(source()).rejects.toMatchObject({
      code: 'HEADERS_DENIED',
      message: expect.stringMatching(
        /^FAKE: \/sys\/kernel\/kheaders\.tar\.xz is there, but .*denied.*no su/,
      ) as string,
      hint: expect.stringContaining('userdebug') as string,
    });
  });

  it('does not climb where --privilege none forbids it', async () => {
    const device = fakeDevice({ answers: [UNAME, [/^stat/, `5 ${SYSFS}`]], root: 'already-root' });
    const { source } = await locate(device, 'none');
    await expect(source()).rejects.toMatchObject({
      code: 'HEADERS_DENIED',
      hint: expect.stringContaining('--privilege auto') as string,
    });
    expect(device.commandLines).toHaveLength(1);
  });

  it.each(['adb', 'su'] as const)(
    'loads the module with root by %s, and unloads it at the end',
    async (root) => {
      const { device, state } = phoneWithModule({ root });
      const { source, work } = await locate(device);
      {
        await using found = await source();
        expect(found.origin).toBe('module');
        expect(state.loaded).toBe(true);
      }
      expect(state.loaded).toBe(false);
      const types = work.events.map(({ type }) => type);
      expect(types).toEqual(['privilege.raised', 'module.loaded', 'headers.located', 'module.unloaded']);
    },
  );

  it('leaves a module that someone else has loaded', async () => {
    const { device, state } = phoneWithModule({ root: 'adb' });
    state.loaded = true;
    const { source, work } = await locate(device);
    {
      await using found = await source();
      expect(found.origin).toBe('module');
    }
    expect(state.loaded).toBe(true);
    expect(work.events.map(({ type }) => type)).toEqual(['headers.located']);
  });

  it('leaves the module where another process reads the archive, and says so', async () => {
    const { device, state } = phoneWithModule({ root: 'adb' });
    const { source, work } = await locate(device);
    {
      await using found = await source();
      state.readers = true;
      expect(found.origin).toBe('module');
    }
    expect(work.events.at(-1)).toMatchObject({
      type: 'warning',
      message: expect.stringContaining('is left loaded: another process is reading') as string,
    });
  });

  it('reports what could not be undone, and does not hide why the work ended', async () => {
    const { device, state } = phoneWithModule({ root: 'adb' });
    state.unloadable = true;
    const { source, work } = await locate(device);
    const failing = async () => {
      await using found = await source();
      throw new Error(`the work on ${found.path} failed`);
    };
    await expect(failing()).rejects.toThrow('the work on /sys/kernel/kheaders.tar.xz failed');
    expect(work.events.at(-1)).toMatchObject({
      type: 'warning',
      serial: 'FAKE',
      message: 'its module kheaders is left loaded: rmmod: busy',
    });
  });

  it('loads the module that another process has unloaded since the first look', async () => {
    const { device, state } = phoneWithModule({ root: 'adb' });
    Object.assign(state, { adbdIsRoot: true, loaded: true });
    const { source } = await locate(device);
    state.loaded = false;
    const run = device.run.bind(device);
    device.run = async (commandLine, options) => {
      const output = await run(commandLine, options);
      return commandLine.startsWith('grep -q') ? { ...output, exitCode: 1 } : output;
    };
    await using found = await source();
    expect(found.origin).toBe('module');
    expect(state.loaded).toBe(true);
  });

  it('climbs to root to unload what kh had loaded before, even when the work was interrupted', async () => {
    const { device, state } = phoneWithModule({ root: 'adb' });
    device.restartAsRoot = (options) => {
      options.signal.throwIfAborted();
      state.adbdIsRoot = true;
      return Promise.resolve('already-root');
    };
    state.loaded = true;
    const controller = new AbortController();
    const { source, work } = await locate(device, 'auto', lastOfSeveral, controller.signal);
    {
      await using found = await source();
      expect(found.origin).toBe('module');
      controller.abort(new Error('interrupted'));
    }
    expect(state.loaded).toBe(false);
    expect(work.events.at(-1)).toMatchObject({ type: 'module.unloaded' });
  });

  it('waits for the answer to a load that was under way when the work was interrupted, and undoes it', async () => {
    const { device, state } = phoneWithModule({ root: 'adb' });
    state.adbdIsRoot = true;
    const controller = new AbortController();
    const { source } = await locate(device, 'auto', soleUse, controller.signal);
    const run = device.run.bind(device);
    device.run = async (commandLine, options) => {
      if (commandLine.includes('modprobe')) controller.abort(new Error('interrupted'));
      const output = await run(commandLine, options);
      options.signal.throwIfAborted();
      return output;
    };
    await expect(source()).rejects.toThrow('interrupted');
    expect(device.commandLines.some((line) => line.includes('modprobe'))).toBe(true);
    expect(state.loaded).toBe(false);
  });

  it('goes on to the next module where the kernel does not take one that was left from another', async () => {
    const { device, state } = phoneWithModule({
      root: 'adb',
      modules: `/vendor_dlkm/lib/modules/6.1.145/kheaders.ko\n${KO}`,
    });
    state.adbdIsRoot = true;
    const { source, work } = await locate(device);
    await using found = await source();
    expect(found.origin).toBe('module');
    expect(work.events).toContainEqual({ type: 'module.loaded', serial: 'FAKE', path: KO });
  });

  it('names all the modules where the kernel takes none of them', async () => {
    const modules = '/odm/lib/modules/kheaders.ko\n/vendor/lib/modules/kheaders.ko';
    const { device, state } = phoneWithModule({ root: 'adb', loadable: false, modules });
    state.adbdIsRoot = true;
    const { source } = await locate(device);
    await expect(source()).rejects.toMatchObject({
      code: 'HEADERS_MODULE_UNLOADABLE',
      message: expect.stringMatching(/\/odm\/.*did not take it.*\/vendor\/.*did not take it/) as string,
    });
  });

  it('says that the module may be left where the device is lost while it loads', async () => {
    const { device, state } = phoneWithModule({ root: 'adb' });
    state.adbdIsRoot = true;
    const { source, work } = await locate(device);
    device.run = () => Promise.reject(new KhError('DEVICE_LOST', { serial: 'FAKE', message: 'lost' }));
    await expect(source()).rejects.toMatchObject({ code: 'DEVICE_LOST' });
    expect(work.events).toContainEqual({
      type: 'warning',
      serial: 'FAKE',
      message: expect.stringContaining('may be left loaded') as string,
    });
  });

  it('goes on to su under the new transport where adbd has restarted in vain', async () => {
    const lost = () => Promise.reject(new KhError('DEVICE_LOST', { message: 'no such transport' }));
    const before = fakeDevice({ answers: [UNAME, [/^stat/, `5 ${SYSFS}`]], root: 'restarting' });
    const after = fakeDevice({
      answers: [
        UNAME,
        [/^su 0 sh -c 'id -u'/, '0'],
        [/id -u/, '2000'],
        [/^stat/, `5 ${SYSFS}`],
        [/^for path/, SYSFS],
      ],
    });
    const work = recordedWork();
    const probe = await probeDevice({ adb: before, privilege: 'plain', root: false }, work);
    before.run = lost;
    const reopen = () => Promise.resolve(after);
    const options = { privilege: 'auto', enterModuleUse: soleUse, reopen } as const;
    await using found = await locateHeaders(before, probe, options, work);
    expect(found.access).toMatchObject({ privilege: 'su', adb: after });
  });

  it('says that the module is there, but only root may load it', async () => {
    const { device } = phoneWithModule({ root: 'none' });
    const { source } = await locate(device);
    await expect(source()).rejects.toMatchObject({
      code: 'HEADERS_MODULE_UNLOADABLE',
      message: expect.stringContaining(`${KO}, which is not loaded; loading it is denied`) as string,
    });
  });

  it('quotes the kernel where it refuses the module', async () => {
    const { device } = phoneWithModule({ root: 'adb', loadable: false });
    const { source } = await locate(device);
    await expect(source()).rejects.toMatchObject({
      code: 'HEADERS_MODULE_UNLOADABLE',
      message: expect.stringContaining('Exec format error') as string,
      hint: expect.stringContaining('another kernel') as string,
    });
  });

  it('calls the headers absent where there is neither archive nor module', async () => {
    const { source } = await locate(fakeDevice({ answers: [UNAME], root: 'already-root' }), 'none');
    await expect(source()).rejects.toMatchObject({ code: 'HEADERS_ABSENT' });
  });
});
