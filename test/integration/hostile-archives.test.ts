import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostileArchives, type HostileArchive } from '../../fixtures/archives/make-hostile-archives';
import type { DeviceDescription } from '../../src/simulator/lab/lab-description';
import { pixel, startLab } from '../support/lab';
import { errorsOf, pull } from '../support/pull';
import {
  folderListing,
  stagingLeftovers,
  storeArchives,
  storeTrees,
  storeWorkspaces,
} from '../support/store-contents';
import { tempFolder } from '../support/temp-folder';

/** Those that need other limits, or a disk of another kind, are for the unit tests. */
function meantForAll({ limits, disk }: HostileArchive): boolean {
  return limits === undefined && disk === undefined;
}

describe('kh pull from devices that serve hostile archives', () => {
  it('refuses each with its code and reason, keeps nothing, and writes nothing outside the store', async () => {
    const folder = await folderWithCanaries();
    const before = await folderListing(folder);
    const archives = (await hostileArchives()).filter(meantForAll);
    const lab = await startLab({ devices: archives.map(phoneWith) });
    const run = await pull(lab, ['--all'], { home: join(folder, 'home'), timeoutMs: 120_000 });
    expect(run).toExitWith(7);
    expect(archives.length).toBeGreaterThan(50);
    const errors = errorsOf(run);
    expect(errors.map(({ serial, code }) => [serial, code])).toEqual(
      archives.map(({ name, code }) => [name, code]),
    );
    for (const [n, { message }] of archives.entries()) expect(errors[n]?.message).toMatch(message);
    expect(run.stdout + run.stderr).not.toMatch(/[\0-\x08\x0b-\x1f\x7f]/);

    const outside = (await folderListing(folder)).filter((line) => !line.startsWith('home/'));
    expect(outside).toEqual(before);
    expect(existsSync('/tmp/kh-evil.h')).toBe(false);
    expect(await storeTrees(run.home)).toEqual([]);
    expect(await storeArchives(run.home)).toEqual([]);
    expect(await storeWorkspaces(run.home)).toEqual([]);
    expect(await stagingLeftovers(run.home)).toEqual([]);
  });
});

/** With what archives that climb out of the store would hit. */
async function folderWithCanaries(): Promise<string> {
  const folder = await tempFolder();
  for (const place of ['include', 'outside']) await mkdir(join(folder, place));
  await writeFile(join(folder, 'evil.h'), 'untouched\n');
  return folder;
}

/** Each archive on a device of its own, with a kernel of its own, so that none waits for another. */
function phoneWith({ name, bytes: archive }: HostileArchive): DeviceDescription {
  return pixel({
    serial: name,
    kernel: { release: `6.1.0-${name}` },
    headers: { kind: 'built-in', archive },
  });
}
