import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { storedXz } from '../../fixtures/archives/stored-xz';
import { makeSampleTar } from '../../src/archive/sample-archive';
import type { PulledHeaders } from '../../src/app/pull-headers';
import { kh } from '../support/kh';
import { NO_CONFIG, pixel, startLab } from '../support/lab';
import { outcomesOf, pull } from '../support/pull';
import { tempFolder } from '../support/temp-folder';

const RELEASE = '6.1.145-android14-11-gc1de4747ac59-ab14219743';
const BEFORE = '2026-01-02T03:04:05.678Z';

const digest = (name: string, bytes: Buffer) => createHash(name).update(bytes).digest('hex');

/**
 * A home as release 0.1.0 leaves it, written down here and not by the code
 * under test: what that reads differently some day, this test shows.
 */
async function homeOfRelease010() {
  const home = await tempFolder();
  const at = (...names: string[]) => join(home, 'v1', ...names);
  const bytes = storedXz([await makeSampleTar({ release: RELEASE, machine: 'aarch64' })]);
  const [sha256, md5] = [digest('sha256', bytes), digest('md5', bytes)];
  const workspace = at('workspaces', 'PIXEL', RELEASE);
  const tree = at('trees', sha256);
  for (const folder of [
    tree,
    at('archives'),
    at('devices'),
    at('leases'),
    at('locks'),
    at('tmp'),
    workspace,
  ]) {
    await mkdir(folder, { recursive: true });
  }
  const path = at('archives', `${sha256}.tar.xz`);
  await writeFile(path, bytes);
  const unpacked = spawnSync('tar', ['-xJf', path, '-C', tree, '--no-same-owner', '-p'], {
    encoding: 'utf8',
  });
  expect(unpacked).toMatchObject({ status: 0, stderr: '' });
  await chmod(tree, 0o755);
  const count = (...test: string[]) =>
    spawnSync('find', [tree, '-mindepth', '1', ...test], { encoding: 'utf8' }).stdout.split('\n').length - 1;
  const sizes = spawnSync('find', [tree, '-type', 'f', '-printf', '%s\n'], { encoding: 'utf8' }).stdout;
  const treeBytes = sizes.split('\n').reduce((sum, size) => sum + Number(size), 0);
  const folders = count('-type', 'd');
  const files = count('!', '-type', 'd');
  const write = (file: string, value: unknown) => writeFile(file, `${JSON.stringify(value, null, 2)}\n`);
  await write(at('archives', `${sha256}.json`), {
    archive: 1,
    sha256,
    md5,
    bytes: bytes.length,
    release: RELEASE,
    entries: folders + files,
    treeBytes,
    danglingLinks: [],
    added: BEFORE,
    tree: { folders, files, bytes: treeBytes },
  });
  await write(at('devices', 'PIXEL.json'), {
    claim: 1,
    name: 'PIXEL',
    serialno: 'PIXEL',
    serial: 'PIXEL',
    bootId: '4f5ad55b-98a5-4e1b-a3f8-9a0e5b5ad7e3',
    seenAt: BEFORE,
  });
  await write(join(workspace, 'workspace.json'), {
    workspace: 1,
    device: { name: 'PIXEL', serialno: 'PIXEL', serials: ['PIXEL'], model: 'Pixel 8' },
    kernel: { release: RELEASE, version: '#1 SMP PREEMPT', machine: 'aarch64', arch: 'arm64' },
    headers: { path: '/sys/kernel/kheaders.tar.xz', origin: 'built-in', bytes: bytes.length },
    archive: { sha256, md5, bytes: bytes.length },
    verdict: { trust: 'unverified', checks: ['size', 'device-md5', 'xz', 'required-files', 'release'] },
    danglingLinks: 0,
    pulledAt: BEFORE,
    checkedAt: BEFORE,
    kh: '0.1.0',
  });
  await symlink(`../../../trees/${sha256}`, join(workspace, 'headers'));
  return { home, sha256, workspace, bytes };
}

describe('a home that release 0.1.0 has left', () => {
  it('is read by every command that looks at it', async () => {
    const { home, sha256, workspace } = await homeOfRelease010();
    const listed = await kh(['workspace', 'list', '--json'], { home });
    expect(listed).toExitWith(0);
    expect(JSON.stringify(listed.json())).toContain(sha256);
    const shown = await kh(['workspace', 'show', '--json', '-s', 'PIXEL'], { home });
    expect(shown).toExitWith(0);
    expect(JSON.stringify(shown.json())).toContain(BEFORE);
    expect((await kh(['workspace', 'path', '-s', 'PIXEL'], { home })).stdout).toBe(`${workspace}\n`);
    expect(await kh(['store', 'verify'], { home })).toExitWith(0);
    expect(await kh(['workspace', 'verify'], { home })).toExitWith(0);
    const collected = await kh(['store', 'gc', '--json'], { home });
    expect(collected).toExitWith(0);
    expect(await kh(['store', 'verify'], { home })).toExitWith(0);
  });

  it('saves a pull of the same kernel the transfer, and keeps when it was first pulled', async () => {
    const { home, sha256, bytes } = await homeOfRelease010();
    const headers = { kind: 'built-in' as const, archive: bytes };
    const lab = await startLab({ devices: [pixel({ files: NO_CONFIG, headers })] });
    const run = await pull(lab, [], { home });
    expect(run).toExitWith(0);
    const [outcome] = outcomesOf(run);
    expect(outcome).toMatchObject({
      result: { sha256, transferred: false } satisfies Partial<PulledHeaders>,
    });
    const shown = await kh(['workspace', 'show', '--json', '-s', 'PIXEL'], { home });
    expect(JSON.stringify(shown.json())).toContain(BEFORE);
  });
});
