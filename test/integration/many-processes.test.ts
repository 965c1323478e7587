import { concurrently } from '../../src/app/concurrently';
import type { DeviceDescription } from '../../src/simulator/lab/lab-description';
import type { Simulator } from '../../src/simulator/simulator';
import { kh, startKh } from '../support/kh';
import { modulePhone, pixel, startLab, withLargeArchive } from '../support/lab';
import { pull, resultOf } from '../support/pull';
import { stagingLeftovers, storeTrees, storeWorkspaces } from '../support/store-contents';
import { tempFolder } from '../support/temp-folder';

/** Root by su: a kh that starts just when adbd restarts for another one finds no device. */
const phoneWithModule = modulePhone({ adbRoot: 'refused' });

describe('eight kh pull at once on one device', () => {
  it.each<[string, DeviceDescription]>([
    ['built in', pixel()],
    ['in a module', phoneWithModule],
  ])('all succeed with one tree and one workspace, where its headers are %s', async (_, device) => {
    const lab = await startLab({ devices: [await withLargeArchive(device)] });
    const home = await tempFolder();
    const runs = await Promise.all(Array.from({ length: 8 }, () => pull(lab, [], { home })));
    for (const run of runs) expect(run).toExitWith(0);
    const digests = new Set(runs.map((run) => resultOf(run).sha256));
    expect(await storeTrees(home)).toEqual([...digests]);
    expect(await storeWorkspaces(home)).toHaveLength(1);
    expect(await stagingLeftovers(home)).toEqual([]);
  });

  it('unload the module as often as they loaded it', async () => {
    const lab = await startLab({ devices: [await withLargeArchive(phoneWithModule)] });
    const home = await tempFolder();
    const runs = await Promise.all(Array.from({ length: 8 }, () => pull(lab, ['--force'], { home })));
    for (const run of runs) expect(run).toExitWith(0);
    const phone = lab.device('MODULE');
    expect(phone.modules()).toEqual([]);
    expect(phone.counters.modulesLoaded).toBeGreaterThan(0);
    expect(phone.counters.modulesUnloaded).toBe(phone.counters.modulesLoaded);
    expect(await storeTrees(home)).toHaveLength(1);
    expect(await stagingLeftovers(home)).toEqual([]);
  });

  it('leave the module to someone who had loaded it before', async () => {
    const lab = await startLab({
      devices: [{ ...phoneWithModule, headers: { kind: 'module', loaded: true } }],
    });
    const home = await tempFolder();
    const runs = await Promise.all(Array.from({ length: 4 }, () => pull(lab, ['--force'], { home })));
    for (const run of runs) expect(run).toExitWith(0);
    expect(lab.device('MODULE').modules()).toEqual(['kheaders']);
  });
});

describe('kh pull after a kh that was killed', () => {
  const KILLS = 10;

  it('works whenever that was, and clears up after it', async () => {
    const phones = { ...phoneWithModule, serial: 'MODULE-#', count: KILLS + 1, speed: 2_000_000 };
    const lab = await startLab({ devices: [await withLargeArchive(phones)] });
    const undisturbed = await pull(lab, ['-s', `MODULE-${KILLS + 1}`]);
    expect(undisturbed).toExitWith(0);
    const kills = Array.from({ length: KILLS }, (_, n) => n);
    const outcomes = await concurrently(kills, 2, async (n) => {
      const killedAfter = Math.round(((n + Math.random()) / KILLS) * undisturbed.milliseconds);
      return { killedAfter, ...(await pullAfterKill(lab, `MODULE-${n + 1}`, killedAfter)) };
    });
    for (const outcome of outcomes) {
      expect(outcome).toEqual({
        killedAfter: outcome.killedAfter,
        exitCodes: { pull: 0, verify: 0 },
        staging: [],
        trees: await storeTrees(undisturbed.home),
        modules: [],
      });
    }
  });
});

/** Kills a pull after so many milliseconds, pulls again, and says how things are then. */
async function pullAfterKill(lab: Simulator, serial: string, killedAfter: number) {
  const home = await tempFolder();
  const victim = await startKh(['pull', '-s', serial], { lab, home });
  await new Promise((resolve) => setTimeout(resolve, killedAfter));
  victim.send('SIGKILL');
  await victim.ended;
  const again = await kh(['pull', '-s', serial], { lab, home });
  const verify = await kh(['workspace', 'verify'], { home });
  return {
    exitCodes: { pull: again.exitCode, verify: verify.exitCode },
    staging: await stagingLeftovers(home),
    trees: await storeTrees(home),
    modules: lab.device(serial).modules(),
  };
}
