import { kh, startKh } from '../support/kh';
import { hangAt, modulePhone, startLab, withLargeArchive } from '../support/lab';
import { stagingLeftovers } from '../support/store-contents';

describe('kh pull from a phone whose headers are in a module', () => {
  it('loads the module, and unloads it again', async () => {
    const lab = await startLab({ devices: [modulePhone()] });
    const run = await kh(['pull'], { lab });
    expect(run).toExitWith(0);
    expect(lab.device('MODULE').modules()).toEqual([]);
    expect(lab.device('MODULE').counters).toMatchObject({ modulesLoaded: 1, modulesUnloaded: 1 });
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('unloads it when %s comes in the middle of the pull', async (signal, exitCode) => {
    const phone = modulePhone({ faults: [hangAt('recv', 100_000)] });
    const lab = await startLab({ devices: [await withLargeArchive(phone)] });
    const running = await startKh(['pull'], { lab });
    await running.untilStderr(/loaded .*kheaders\.ko/);
    while (lab.device('MODULE').counters.recvStarted === 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    running.send(signal);
    const run = await running.ended;
    expect(run).toExitWith(exitCode);
    expect(lab.device('MODULE').modules()).toEqual([]);
    expect(await stagingLeftovers(run.home)).toEqual([]);
  });

  it('leaves a module that someone else has loaded', async () => {
    const lab = await startLab({ devices: [modulePhone({ headers: { kind: 'module', loaded: true } })] });
    expect(await kh(['pull'], { lab })).toExitWith(0);
    expect(lab.device('MODULE').modules()).toEqual(['kheaders']);
  });

  it.each([
    ['ENOEXEC', /Exec format error/],
    ['EKEYREJECTED', /Key was rejected/],
  ] as const)('quotes the kernel that refuses it with %s', async (error, text) => {
    const lab = await startLab({ devices: [modulePhone({ headers: { kind: 'module-broken', error } })] });
    const run = await kh(['pull'], { lab });
    expect(run).toExitWith(5);
    expect(run.stderr).toMatch(text);
  });
});
