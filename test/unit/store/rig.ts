import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import ts from 'typescript';
import { openStore, type Store } from '../../../src/store/layout';
import { createStage, type Stage } from '../../../src/store/stage';
import type { ArchiveFacts } from '../../../src/store/archives';
import type { WorkspaceRecord } from '../../../src/store/workspaces';

const folders: string[] = [];
const children: ChildProcess[] = [];

/** A folder that `cleanUp` removes. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kh-store-'));
  folders.push(folder);
  return folder;
}

/** A new, empty store. */
export function newStore(): Promise<Store> {
  return openStore({ home: join(scratchFolder(), 'home') });
}

/** For `afterEach`: ends the child processes that a test left, and removes its folders. */
export async function cleanUp(): Promise<void> {
  await Promise.all(children.splice(0).map(kill));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Another kh process: what it printed so far, line by line, and its end. */
export interface Child {
  process: ChildProcess;
  /** The next line that it prints; fails when it ends without one. */
  line(): Promise<string>;
  /** Its exit code. */
  ended: Promise<number | null>;
}

/**
 * Runs the body of an async function in a process of its own. In its scope:
 * `store` (the store, open), `kh(name)` (a module of src/store) and
 * `say(text)` (prints a line).
 */
export function runInChild(store: Store, body: string): Child {
  const code = `
    const kh = (name) => require(${JSON.stringify(join(compiledSource(), 'store'))} + '/' + name);
    const say = (text) => process.stdout.write(text + '\\n');
    (async () => {
      const store = await kh('layout').openStore({ home: ${JSON.stringify(store.home)} });
      ${body}
    })().catch((error) => { console.error(error); process.exit(1); });`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    ended: once(child, 'exit').then(([exitCode]) => exitCode as number | null),
    line: async () => {
      const next = await lines.next();
      if (next.done === true) throw new Error('the child process ended without a word');
      return next.value;
    },
  };
}

let compiled: string | undefined;
afterAll(() => {
  if (compiled !== undefined) rmSync(compiled, { recursive: true, force: true });
});

/** src/core and src/store as JavaScript, for child processes. */
function compiledSource(): string {
  if (compiled !== undefined) return compiled;
  const target = mkdtempSync(join(tmpdir(), 'kh-store-js-'));
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS };
  for (const folder of ['core', 'store']) {
    const source = join(__dirname, '../../../src', folder);
    mkdirSync(join(target, folder));
    for (const name of readdirSync(source)) {
      const { outputText } = ts.transpileModule(readFileSync(join(source, name), 'utf8'), {
        compilerOptions,
      });
      writeFileSync(join(target, folder, name.replace(/\.ts$/, '.js')), outputText);
    }
  }
  compiled = target;
  return target;
}

/** A stage with an archive of 1000 bytes and a small tree, as extraction leaves it. */
export async function filledStage(store: Store, { archiveBytes = 1000 } = {}): Promise<Stage> {
  const stage = await createStage(store);
  writeFileSync(stage.partPath, Buffer.alloc(archiveBytes, 'x'));
  fillTree(stage.treePath);
  return stage;
}

export function fillTree(root: string): void {
  mkdirSync(join(root, 'include/linux'), { recursive: true });
  mkdirSync(join(root, 'arch/arm64/include/asm'), { recursive: true });
  writeFileSync(join(root, 'include/linux/kconfig.h'), '#define KCONFIG\n');
  writeFileSync(join(root, 'include/linux/module.h'), '#define MODULE_H\n');
  writeFileSync(join(root, 'arch/arm64/include/asm/page.h'), '#define PAGE_H\n');
}

export const SHA256 = 'ab'.repeat(32);
export const MD5 = 'cd'.repeat(16);
export const RELEASE = '6.1.75-android14-11-g0123456';

export function archiveFacts(changes: Partial<ArchiveFacts> = {}): ArchiveFacts {
  return {
    sha256: SHA256,
    md5: MD5,
    bytes: 1000,
    release: RELEASE,
    entries: 8,
    treeBytes: 48,
    danglingLinks: [],
    ...changes,
  };
}

export function workspaceRecord(changes: Partial<WorkspaceRecord> = {}): WorkspaceRecord {
  return {
    device: { name: 'PIXEL', serialno: 'PIXEL', serials: ['PIXEL', '10.0.0.7:5555'], model: 'Pixel 8' },
    kernel: {
      release: RELEASE,
      version: '#1 SMP PREEMPT Mon Jan  1 00:00:00 UTC 2024',
      machine: 'aarch64',
      arch: 'arm64',
      bootId: '4f5ad55b-98a5-4e1b-a3f8-9a0e5b5ad7e3',
    },
    headers: { path: '/sys/kernel/kheaders.tar.xz', origin: 'built-in', bytes: 1000 },
    archive: { sha256: SHA256, md5: MD5, bytes: 1000 },
    verdict: {
      trust: 'trusted',
      checks: ['size', 'manifest'],
      manifest: { path: '/lab/manifest.json', form: 'lab', digest: 'sha256' },
    },
    danglingLinks: 0,
    pulledAt: '2024-05-01T10:00:00.000Z',
    checkedAt: '2024-05-02T10:00:00.000Z',
    kh: '0.1.0',
    ...changes,
  };
}
