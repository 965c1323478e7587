import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kh, startKh } from '../support/kh';
import { failuresOf, propertiesOf, readJunit } from '../support/junit';
import { hangAt, modulePhone, pixel, startLab } from '../support/lab';
import { moduleFile } from '../support/made-module';
import { pull } from '../support/pull';
import { tempFolder } from '../support/temp-folder';

async function reportPlace(): Promise<{
  folder: string;
  flag: string;
  read: () => Promise<ReturnType<typeof readJunit>>;
}> {
  const folder = await tempFolder();
  const path = join(folder, 'report.xml');
  return {
    folder,
    flag: `--report=junit=${path}`,
    read: async () => readJunit(await readFile(path, 'utf8')),
  };
}

describe('--report junit=FILE', () => {
  it('has a test case for each device, done or not, beside what kh prints', async () => {
    const lab = await startLab({
      devices: [pixel(), pixel({ serial: 'ABSENT', headers: { kind: 'absent' } })],
    });
    const { folder, flag, read } = await reportPlace();
    const run = await kh(['pull', '--all', flag, '--json'], { lab });
    expect(run).toExitWith(10);
    expect(run.json()).toMatchObject({ status: 'partial' });
    const suite = await read();
    expect(suite.attributes).toMatchObject({ name: 'kh pull', tests: '2', failures: '1', errors: '0' });
    const { release } = pixel().kernel!;
    expect(propertiesOf(suite)).toMatchObject({
      PIXEL: { release, machine: 'aarch64', arch: 'arm64', origin: 'built-in', transferred: 'true' },
      ABSENT: { release, machine: 'aarch64' },
    });
    expect(failuresOf(suite)).toEqual({
      ABSENT: {
        type: 'HEADERS_ABSENT',
        text: expect.stringMatching(/^HEADERS_ABSENT: ABSENT: .*\n.+/) as unknown,
      },
    });
    expect(await readdir(folder)).toEqual(['report.xml']);
  });

  it('tells of a run that failed as a whole, as of one that was interrupted', async () => {
    const lab = await startLab({ devices: [pixel({ faults: [hangAt('shell', 0)] })] });
    const none = await reportPlace();
    expect(await kh(['pull', '-s', 'NOWHERE', none.flag], { lab })).toExitWith(3);
    expect(failuresOf(await none.read())).toMatchObject({ 'kh pull': { type: 'DEVICE_NOT_FOUND' } });

    const interrupted = await reportPlace();
    const running = await startKh(['pull', '--verbose', interrupted.flag], { lab });
    await running.untilStderr(/PIXEL/);
    running.send('SIGINT');
    expect(await running.ended).toExitWith(130);
    expect(failuresOf(await interrupted.read())).toMatchObject({ 'kh pull': { type: 'INTERRUPTED' } });
  });

  it('is there for modules and for workspaces, and replaces an older report', async () => {
    const lab = await startLab({ devices: [modulePhone()] });
    const { home } = await pull(lab);
    const { flag, read } = await reportPlace();
    const ko = await moduleFile('hello.ko', { name: 'hello', vermagic: 'x' });
    expect(await kh(['load-module', ko, flag], { lab, home })).toExitWith(8);
    expect(failuresOf(await read())).toMatchObject({ MODULE: { type: 'MODULE_REFUSED' } });

    expect(await kh(['workspace', 'verify', flag], { home })).toExitWith(0);
    const { release = '' } = modulePhone().kernel!;
    expect(propertiesOf(await read())).toMatchObject({ [`MODULE ${release}`]: { release, status: 'sound' } });

    const headers = join(home, 'v1/workspaces/MODULE', release, 'headers/include/linux/kconfig.h');
    await writeFile(headers, 'no');
    expect(await kh(['workspace', 'verify', flag], { home })).toExitWith(11);
    expect(failuresOf(await read())).toEqual({
      [`MODULE ${release}`]: {
        type: 'STORE_DAMAGED',
        text: expect.stringContaining('include/linux/kconfig.h: content differs') as unknown,
      },
    });
  });

  it('is refused before the work where it cannot be written', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const folder = await tempFolder();
    await mkdir(join(folder, 'report.xml'));
    for (const value of [
      'xml=out.xml',
      'junit=',
      `junit=${join(folder, 'nowhere/report.xml')}`,
      `junit=${join(folder, 'report.xml')}`,
    ]) {
      const run = await kh(['pull', '--report', value], { lab });
      expect(run).toExitWith(2);
      expect(lab.device('PIXEL').counters.recvStarted).toBe(0);
    }
  });
});
