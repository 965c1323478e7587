import type { DeviceDescription } from '../../src/simulator/lab/lab-description';
import type { Simulator } from '../../src/simulator/simulator';
import { kh, startKh } from '../support/kh';
import { modulePhone, pixel, startLab, withLargeArchive } from '../support/lab';
import { pull, resultOf } from '../support/pull';
import { random } from '../support/random';
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
  const KILLS = 50;

  it('works at each of 50 random moments, and clears up after it', async () => {
    const { seed, next } = random();
    const phone = (n: number) =>
      withLargeArchive({
        ...phoneWithModule,
        serial: `MODULE-${n}`,
        kernel: { release: `6.12.38-${n}` },
        speed: 2_000_000,
      });
    const lab = await startLab({
      devices: await Promise.all(Array.from({ length: KILLS + 1 }, (_, n) => phone(n))),
    });
    const undisturbed = await pull(lab, ['-s', `MODULE-${KILLS}`]);
    expect(undisturbed).toExitWith(0);
    const kills = Array.from({ length: KILLS }, (_, n) => ({
      serial: `MODULE-${n}`,
      killedAfter: Math.round(((n + next()) / KILLS) * undisturbed.milliseconds),
    }));
    // One store a lane, so that each pull meets what all the kills before it left.
    const homes = [await tempFolder(), await tempFolder()];
    const lane = async (home: string, mine: typeof kills) => {
      for (const kill of mine) {
        const left = await pullAfterKill(lab, kill, home);
        expect({ seed, ...kill, ...left }).toEqual({ seed, ...kill, ...CLEAN });
      }
      expect(await kh(['workspace', 'verify'], { home })).toExitWith(0);
      expect(await storeTrees(home)).toHaveLength(mine.length);
      expect(await storeWorkspaces(home)).toHaveLength(mine.length);
    };
    await Promise.all(
      homes.map((home, number) =>
        lane(
          home,
          kills.filter((_, n) => n % homes.length === number),
        ),
      ),
    );
  }, 600_000);
});

const CLEAN = { exitCode: 0, staging: [], modules: [] };

/** Kills a pull after so many milliseconds, pulls again, and says how things are then. */
async function pullAfterKill(
  lab: Simulator,
  { serial, killedAfter }: { serial: string; killedAfter: number },
  home: string,
) {
  const victim = await startKh(['pull', '-s', serial], { lab, home });
  await new Promise((resolve) => setTimeout(resolve, killedAfter));
  victim.send('SIGKILL');
  await victim.ended;
  const { exitCode } = await kh(['pull', '-s', serial], { lab, home });
  return { exitCode, staging: await stagingLeftovers(home), modules: lab.device(serial).modules() };
}
