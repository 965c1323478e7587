import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreCheck } from '../../src/app/verify-store';
import { kh, type KhRun } from '../support/kh';
import { pixel, startLab } from '../support/lab';
import { outcomesOf, pull, resultOf } from '../support/pull';
import { folderListing, stagingLeftovers } from '../support/store-contents';

const checkOf = (run: KhRun) => (run.json() as { result: StoreCheck }).result;

/** A store with the headers of one phone. */
async function pulledStore() {
  const lab = await startLab({ devices: [pixel()] });
  const run = await pull(lab);
  const { sha256, headers, workspace } = resultOf(run);
  const path = (...names: string[]) => join(run.home, 'v1', ...names);
  return {
    lab,
    home: run.home,
    sha256,
    headers,
    workspace,
    archive: path('archives', `${sha256}.tar.xz`),
    facts: path('archives', `${sha256}.json`),
    tree: path('trees', sha256),
  };
}

describe('kh store verify', () => {
  it('finds a store sound that a pull has filled, and an empty one', async () => {
    const { home, sha256, workspace } = await pulledStore();
    const run = await kh(['store', 'verify', '--json'], { home });
    expect(run).toExitWith(0);
    expect(checkOf(run)).toMatchObject({
      archives: [{ sha256, status: 'sound', problems: [], workspaces: [workspace] }],
      workspaces: [],
    });
    expect((await kh(['store', 'verify'])).stdout).toBe('the store is empty\n');
  });

  it('names what is damaged in a tree, and extracts it again with --repair', async () => {
    const { home, tree, headers } = await pulledStore();
    const before = await folderListing(tree);
    await writeFile(join(headers, 'include/linux/kconfig.h'), 'x'.repeat(10));
    await rm(join(headers, 'include/linux/list.h'));
    const found = await kh(['store', 'verify'], { home });
    expect(found).toExitWith(11);
    expect(found.stdout).toMatch(/^ {2}include\/linux\/kconfig\.h: content differs$/m);
    expect(found.stdout).toMatch(/^ {2}include\/linux\/list\.h: missing$/m);
    expect(found.stdout).toMatch(/^ {2}to mend it: kh store verify --repair$/m);
    expect(await folderListing(tree)).not.toEqual(before);

    const repaired = await kh(['store', 'verify', '--repair', '--json'], { home });
    expect(repaired).toExitWith(0);
    expect(checkOf(repaired).archives).toMatchObject([{ status: 'repaired' }]);
    expect(await folderListing(tree)).toEqual(before);
    expect(checkOf(await kh(['store', 'verify', '--json'], { home })).archives).toMatchObject([
      { status: 'sound' },
    ]);
    expect(await stagingLeftovers(home)).toEqual([]);
  });

  it('brings back a tree and notes that are gone altogether', async () => {
    const { home, tree, facts, lab } = await pulledStore();
    const before = await folderListing(tree);
    await rm(tree, { recursive: true });
    await rm(facts);
    expect(await kh(['store', 'verify', '--repair'], { home })).toExitWith(0);
    expect(await folderListing(tree)).toEqual(before);
    expect(outcomesOf(await pull(lab, [], { home }))).toMatchObject([{ result: { transferred: false } }]);
  });

  it('says of a damaged archive that it has to be pulled, and lets the next pull do so', async () => {
    const { home, archive, lab } = await pulledStore();
    await writeFile(archive, 'no archive');
    const found = await kh(['store', 'verify', '--repair', '--json'], { home });
    expect(found).toExitWith(11);
    expect(checkOf(found).archives).toMatchObject([
      { status: 'damaged', problems: [expect.stringContaining('has sha256')], mend: 'kh pull --force' },
    ]);
    expect(outcomesOf(await pull(lab, [], { home }))).toMatchObject([{ result: { transferred: true } }]);
    expect(await kh(['store', 'verify'], { home })).toExitWith(0);
  });

  it('names a workspace whose record is damaged, and one whose archive is not in the store', async () => {
    const { home, workspace, archive, facts, tree, sha256 } = await pulledStore();
    for (const path of [archive, facts, tree]) await rm(path, { recursive: true });
    const gone = await kh(['store', 'verify', '--json'], { home });
    expect(gone).toExitWith(11);
    expect(checkOf(gone).archives).toMatchObject([
      { sha256, problems: [expect.stringContaining('is missing')], workspaces: [workspace] },
    ]);
    await writeFile(join(workspace, 'workspace.json'), '{}');
    const damaged = await kh(['store', 'verify', '--json'], { home });
    expect(damaged).toExitWith(11);
    expect(checkOf(damaged).workspaces).toMatchObject([
      {
        workspace: join(workspace, 'workspace.json'),
        mend: expect.stringContaining('Pull again') as unknown,
      },
    ]);
  });
});
