import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Kernels that the rig can boot, and where each keeps its headers. */
export const KERNELS = [
  { name: 'arm64-6.1', origin: 'built-in' },
  { name: 'arm64-6.12', origin: 'module' },
  { name: 'x86_64-6.1', origin: 'built-in' },
] as const;

export type KernelName = (typeof KERNELS)[number]['name'];

export interface GuestOptions {
  kernel: KernelName;
  user?: 'root' | 'shell';
  headers?: 'open' | 'locked';
  su?: 'yes' | 'no';
  features?: 'v2' | 'v1';
  serialno?: string;
}

/** A real kernel with a real adbd under QEMU, reached through an adb server of our own. */
export interface Guest extends AsyncDisposable {
  serial: string;
  /** For the processes under test. */
  env: Record<string, string>;
  adb(...args: string[]): Promise<string>;
  /** What is in its boot partition, as a file here. */
  bootImage: string;
  /** Ends QEMU at once, as a phone whose cable is pulled. */
  kill(): void;
}

const TOOLS = ['adb', 'qemu-system-aarch64', 'qemu-system-x86_64', 'cpio', 'gzip', 'python3'];

/** Why the tests on real kernels can't run here; undefined where they can. Under CI that is a failure. */
export function whyNoRig(): string | undefined {
  const rig = process.env['KH_RIG'];
  if (rig === undefined || !existsSync(join(rig, 'boot')))
    return 'KH_RIG does not name a folder with the rig';
  const missing = TOOLS.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`;
}

const why = whyNoRig();
const mustRun = process.env['CI'] === 'true' && process.env['KH_RIG'] !== undefined;

/**
 * `describe` for tests that boot a guest: left out with a line that says why
 * where there is no rig. Where CI names a rig, they run, and fail if they must.
 */
export const describeOnRig = why === undefined || mustRun ? describe : describe.skip;
if (why !== undefined)
  process.stderr.write(`tests on real kernels ${mustRun ? 'will fail' : 'are left out'}: ${why}\n`);

export function manifestOf(kernel: KernelName): string {
  return join(process.env['KH_RIG'] ?? '', 'kernels', kernel, 'kheaders.md5');
}

/** A module that the kernel's own build left for /vendor. */
export function vendorModule(kernel: KernelName, file: string): string {
  return join(process.env['KH_RIG'] ?? '', 'kernels', kernel, 'vendor', file);
}

/** The md5 of the archive, as the kernel's build left it: the manifest's last line. */
export function archiveMd5(kernel: KernelName): string {
  return readFileSync(manifestOf(kernel), 'utf8').trim().split('\n').at(-1) ?? '';
}

/** Of this process alone: another run of the tests must not stop the server under this one. */
const ADB_SERVER_PORT = String(30_001 + 2 * (process.pid % 5_000));

/**
 * The rig's init removes su before it uses it to become the shell user, so a
 * guest with neither root nor su ends at once. This copy of the rig keeps a su
 * that only init can run.
 */
function rigWithoutSu(folder: string): string {
  const rig = process.env['KH_RIG'] ?? '';
  for (const name of ['boot', 'make-boot-image', 'guest']) {
    cpSync(join(rig, name), join(folder, name), { recursive: true });
  }
  const init = join(folder, 'guest', 'init');
  const text = readFileSync(init, 'utf8')
    .replace('[ $su = no ] && rm', 'cp /system/bin/su /dev/su; chmod 700 /dev/su; [ $su = no ] && rm')
    .replace('exec su shell', 'exec /dev/su shell');
  chmodSync(init, 0o755);
  writeFileSync(init, text);
  return join(folder, 'boot');
}

/** Boots a guest; dispose of it when done. */
export async function bootGuest(options: GuestOptions): Promise<Guest> {
  const port = String(await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'kh-e2e-'));
  const env = {
    ANDROID_ADB_SERVER_PORT: ADB_SERVER_PORT,
    RIG_RUN: folder,
    RIG_KERNELS: join(process.env['KH_RIG'] ?? '', 'kernels'),
  };
  const wholeEnv = { ...process.env, ...env };
  const rig = process.env['KH_RIG'] ?? '';
  const boot =
    options.user === 'shell' && options.su === 'no' ? rigWithoutSu(join(folder, 'rig')) : join(rig, 'boot');
  const words = Object.entries<string>({ ...options }).flatMap(([name, value]) => [`--${name}`, value]);
  const { stdout } = await run(boot, [...words, '--port', port], { env: wholeEnv });
  const serial = stdout.trim();
  const kill = () => spawnSync(boot, ['--stop', port], { env: wholeEnv });
  return {
    serial,
    env: { ANDROID_ADB_SERVER_PORT: ADB_SERVER_PORT },
    adb: async (...args) => (await run('adb', ['-s', serial, ...args], { env: wholeEnv })).stdout,
    bootImage: join(folder, `${port}.boot.img`),
    kill,
    [Symbol.asyncDispose]: async () => {
      kill();
      await run('adb', ['disconnect', serial], { env: wholeEnv }).catch(() => undefined);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Even, as adb takes an odd one for the console of an emulator; above those that adb looks at by itself. */
async function freePort(): Promise<number> {
  const port = 10_000 + 2 * randomInt(10_000);
  const server = createServer().listen(port, '127.0.0.1');
  const free = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  server.close();
  return free ? port : freePort();
}

/** Ends the adb server that the tests started for themselves. */
export function stopAdbServer(): void {
  execFileSync('adb', ['-P', ADB_SERVER_PORT, 'kill-server'], { stdio: 'ignore' });
}
