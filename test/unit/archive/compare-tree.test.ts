import { appendFileSync, chmodSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareTree, type TreeDifference } from '../../../src/archive/compare-tree';
import { makeSampleArchive } from '../../../src/archive/sample-archive';
import { unpackArchive } from '../../../src/archive/unpack-archive';
import { limits, never, rejection, scratch } from './support/scratch';

/** Unpacks a sample, changes the tree, and compares. */
async function differencesAfter(change: (path: (name: string) => string) => void): Promise<TreeDifference[]> {
  using place = scratch();
  const archive = place.path('a.tar.xz');
  writeFileSync(archive, await makeSampleArchive({ release: '6.1.0', extraHeaders: 3 }));
  await unpackArchive(archive, { treePath: place.tree, limits, signal: never });
  change((name) => join(place.tree, name));
  return await compareTree(archive, place.tree, { limits, signal: never });
}

const header = 'include/linux/list.h';

describe('compareTree', () => {
  it('finds nothing in a tree as it was unpacked', async () => {
    expect(await differencesAfter(() => undefined)).toEqual([]);
  });

  it.each<[string, (path: (name: string) => string) => void, TreeDifference]>([
    ['a missing file', (path) => rmSync(path(header)), { path: header, problem: 'missing' }],
    [
      'a longer file',
      (path) => appendFileSync(path(header), 'x'),
      { path: header, problem: 'content differs' },
    ],
    [
      'a shorter file',
      (path) => writeFileSync(path(header), ''),
      { path: header, problem: 'content differs' },
    ],
    [
      'another mode',
      (path) => chmodSync(path(header), 0o600),
      { path: header, problem: 'mode is 0600, not 0644' },
    ],
    [
      'another mode of the root',
      (path) => chmodSync(path('.'), 0o700),
      { path: '.', problem: 'mode is 0700, not 0755' },
    ],
    [
      'an added file',
      (path) => writeFileSync(path('include/linux/new.h'), ''),
      { path: 'include/linux/new.h', problem: 'not in the archive' },
    ],
    [
      'a link where a file was',
      (path) => {
        rmSync(path(header));
        symlinkSync('wait.h', path(header));
      },
      { path: header, problem: 'is a symlink, not a file' },
    ],
    [
      'another link target',
      (path) => {
        rmSync(path('include/dt-bindings/clock/sample,dispcc-two.h'));
        symlinkSync('elsewhere.h', path('include/dt-bindings/clock/sample,dispcc-two.h'));
      },
      {
        path: 'include/dt-bindings/clock/sample,dispcc-two.h',
        problem: 'links to "elsewhere.h", not to "sample,dispcc-one.h"',
      },
    ],
  ])('reports %s', async (_, change, expected) => {
    expect(await differencesAfter(change)).toContainEqual(expected);
  });

  it('reports every file of a folder that was emptied, sorted', async () => {
    const differences = await differencesAfter((path) => rmSync(path('include/sample'), { recursive: true }));
    expect(differences.map(({ path }) => path)).toEqual([
      'include/sample',
      'include/sample/extra-0.h',
      'include/sample/extra-1.h',
      'include/sample/extra-2.h',
    ]);
  });

  it('reports all of a tree that is not there', async () => {
    const differences = await differencesAfter((path) => rmSync(path('.'), { recursive: true }));
    expect(differences[0]).toEqual({ path: '.', problem: 'missing' });
    expect(differences).toContainEqual({ path: header, problem: 'missing' });
  });

  it('says so when the archive itself is damaged', async () => {
    using place = scratch();
    const archive = place.path('a.tar.xz');
    const bytes = await makeSampleArchive({ release: '6.1.0' });
    writeFileSync(archive, bytes.subarray(0, bytes.length - 20));
    const work = compareTree(archive, place.tree, { limits, signal: never });
    expect(await rejection(work)).toMatchObject({ code: 'ARCHIVE_TRUNCATED' });
  });
});
