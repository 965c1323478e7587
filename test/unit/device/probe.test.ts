import { TIME_LIMITS } from '../../../src/core/limits';
import { ARCHIVE_PATHS, probeDevice } from '../../../src/device/probe';
import { fakeDevice, type Answers } from './support/fake-device';

const UNAME =
  '6.1.145-android14-11-gc1de4747ac59-ab14219743 #1 SMP PREEMPT Thu Jan  1 00:00:00 UTC 1970 aarch64';
const [SYSFS, PROCFS] = ARCHIVE_PATHS;
const BOOT_ID = 'f9dcb0e6-b31d-445c-835a-d15b25ae89c5';

function probe(answers: Answers) {
  const adb = fakeDevice({ answers: [...answers, [/^uname/, UNAME]] });
  const options = { signal: new AbortController().signal, stallTimeout: TIME_LIMITS.stall };
  return { adb, result: probeDevice({ adb, privilege: 'plain', root: false }, options) };
}

describe('probeDevice', () => {
  it('asks everything in one round trip', async () => {
    const { adb, result } = probe([]);
    await result;
    expect(adb.commandLines).toHaveLength(1);
  });

  it('tells release, version and machine apart, though the version holds spaces', async () => {
    const { result } = probe([[/boot_id/, BOOT_ID]]);
    expect((await result).kernel).toEqual({
      release: '6.1.145-android14-11-gc1de4747ac59-ab14219743',
      version: '#1 SMP PREEMPT Thu Jan  1 00:00:00 UTC 1970',
      machine: 'aarch64',
      arch: 'arm64',
      bootId: BOOT_ID,
    });
  });

  it('takes no release for one that no kernel can have', async () => {
    const { result } = probe([[/^uname/, `6.1.0-${'x'.repeat(2 ** 20)} #1 SMP aarch64`]]);
    await expect(result).rejects.toMatchObject({ code: 'REMOTE_COMMAND_FAILED' });
  });

  it.each([
    ['aarch64', 'arm64'],
    ['armv8l', 'arm64'],
    ['armv7l', 'arm'],
    ['x86_64', 'x86'],
    ['i686', 'x86'],
    ['riscv64', 'riscv'],
  ])('calls the architecture of %s %s, as the kernel tree does', async (machine, arch) => {
    const { result } = probe([[/^uname/, `6.1.0 #1 SMP ${machine}`]]);
    expect((await result).kernel.arch).toBe(arch);
  });

  it('sees an archive that can be read, with its size', async () => {
    const { result } = probe([
      [/^stat/, `3906328 ${SYSFS}\nstat: '${PROCFS}': No such file or directory`],
      [/^for path/, SYSFS],
    ]);
    expect((await result).archive).toEqual({
      path: '/sys/kernel/kheaders.tar.xz',
      state: 'readable',
      bytes: 3906328,
    });
  });

  it.each([
    ['the mode forbids reading', `3906328 ${SYSFS}`, 3906328],
    ['SELinux forbids even stat', "stat: '/sys/kernel/kheaders.tar.xz': Permission denied", undefined],
  ])('calls an archive denied where %s', async (_, answer, bytes) => {
    const { result } = probe([[/^stat/, answer]]);
    expect((await result).archive).toEqual({ path: '/sys/kernel/kheaders.tar.xz', state: 'denied', bytes });
  });

  it('sees no archive where stat says that there is none', async () => {
    const { result } = probe([
      [/^stat/, `stat: '${SYSFS}': No such file or directory`],
      [/^if \[ ! -e/, '/system_dlkm/lib/modules/kheaders.ko\nfind: bad'],
    ]);
    const { archive, modules } = await result;
    expect(archive).toBeUndefined();
    expect(modules).toEqual(['/system_dlkm/lib/modules/kheaders.ko']);
  });

  it('prefers the path that can be read', async () => {
    const { result } = probe([
      [/^stat/, `100 ${SYSFS}\n200 ${PROCFS}`],
      [/^for path/, PROCFS],
    ]);
    expect((await result).archive?.path).toBe('/proc/kheaders.tar.xz');
  });

  it('takes no archive for built in whose module came between the questions', async () => {
    const { result } = probe([
      [/^stat/, `5 ${SYSFS}`],
      [/^for path/, SYSFS],
      [/sys\/module\/kheaders/, 'yes'],
    ]);
    expect((await result).moduleLoaded).toBe(true);
  });

  it('refuses a device whose shell names no kernel, quoting what it said', async () => {
    const { result } = probe([[/^uname/, 'sh: uname: inaccessible\u001b[31m']]);
    await expect(result).rejects.toMatchObject({
      code: 'REMOTE_COMMAND_FAILED',
      message: expect.stringMatching(/^FAKE: .*inaccessible\\x1b/) as string,
    });
  });

  it('takes a boot id of another form for none', async () => {
    const { result } = probe([[/boot_id/, '../../etc']]);
    expect((await result).kernel.bootId).toBeUndefined();
  });
});
