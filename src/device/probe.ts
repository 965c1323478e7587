import type { CallOptions } from '../adb/adb-device';
import { KhError } from '../core/errors';
import { outputText, runWith, type Access } from './access';
import { script } from './script';

/** Where kernels put the archive: sysfs since 5.2, procfs in 5.2-rc and early back-ports. */
export const ARCHIVE_PATHS = ['/sys/kernel/kheaders.tar.xz', '/proc/kheaders.tar.xz'] as const;

/** Folders in which Android keeps kernel modules, the likeliest first. */
export const MODULE_FOLDERS = [
  '/system_dlkm/lib/modules',
  '/vendor_dlkm/lib/modules',
  '/odm_dlkm/lib/modules',
  '/vendor/lib/modules',
  '/odm/lib/modules',
  '/system/lib/modules',
  '/lib/modules',
];

/** The running kernel, as it names itself. */
export interface Kernel {
  /** `uname -r` */
  release: string;
  /** `uname -v`: build number and time. */
  version: string;
  /** `uname -m` */
  machine: string;
  /** The kernel's own name of the architecture, as in `arch/arm64`. */
  arch: string;
  /** Changes at every boot; undefined where it can't be read. */
  bootId: string | undefined;
}

/** What was seen of the archive at one of its paths. */
export interface ArchiveSighting {
  path: string;
  state: 'readable' | 'denied';
  /** Undefined where not even the size may be asked. */
  bytes: number | undefined;
}

/** The answers to kh's first batch of questions. */
export interface DeviceProbe {
  kernel: Kernel;
  /** `ro.serialno`; empty where the device has none. */
  serialno: string;
  root: boolean;
  archive: ArchiveSighting | undefined;
  /** Whether the module `kheaders` is loaded. */
  moduleLoaded: boolean;
  /** Paths of `kheaders.ko`; looked for only where there is no archive. */
  modules: string[];
}

/**
 * Asks, in one round trip: which kernel, which boot, which device, where the
 * archive is and whether it can be read.
 *
 * "Denied" and "absent" are told apart by the errno text of stat(1): SELinux
 * denies getattr with EACCES, and what is not there is ENOENT.
 *
 * @throws KhError as `AdbDevice.run`, and REMOTE_COMMAND_FAILED where the shell gave no kernel release
 */
export async function probeDevice(access: Access, options: CallOptions): Promise<DeviceProbe> {
  const questions = script(QUESTIONS);
  const output = await runWith(access, questions.commandLine, {
    purpose: 'asking which kernel runs',
    ...options,
  });
  const answers = questions.parse(output.stdout);
  const kernel = parseKernel(answers);
  // Where the last answer is missing, the shell broke off: what it did not come to say is not absent.
  if (kernel === undefined || !answers.has('modules')) {
    throw new KhError('REMOTE_COMMAND_FAILED', {
      serial: access.adb.serial,
      message: `the device's shell did not say which kernel runs, and what headers it has: ${outputText(output) || `exit code ${output.exitCode}`}`,
      hint: `Does \`adb -s ${access.adb.serial} shell uname -a\` work?`,
    });
  }
  return {
    kernel,
    serialno: answers.get('serialno') ?? '',
    root: answers.get('uid') === '0',
    archive: firstSighting(answers),
    moduleLoaded: answers.get('loaded') === 'yes' || answers.get('appeared') === 'yes',
    modules: (answers.get('modules') ?? '').split('\n').filter((line) => line.startsWith('/')),
  };
}

/**
 * Builtins wherever they do: on a slow device each process costs more than all
 * of them. Opening a file is what tells whether it can be read.
 */
const QUESTIONS: Record<string, string> = {
  uname: 'uname -r -v -m',
  boot: 'read -r line </proc/sys/kernel/random/boot_id 2>/dev/null; echo "$line"',
  serialno: 'getprop ro.serialno 2>/dev/null',
  uid: 'echo ${USER_ID:-$(id -u)}',
  loaded:
    'while read -r name rest; do if [ "$name" = kheaders ]; then echo yes; fi; done </proc/modules 2>/dev/null',
  stat: `stat -c '%s %n' ${ARCHIVE_PATHS.join(' ')} 2>&1`,
  readable: [
    `for path in ${ARCHIVE_PATHS.join(' ')}; do`,
    'if [ -e $path ]; then if ( : <$path ) 2>/dev/null; then echo $path; fi; fi; done',
  ].join(' '),
  // Asked last: a module that comes between must not make the archive look built in.
  appeared: 'if [ -e /sys/module/kheaders ]; then echo yes; fi',
  modules: [
    `if [ ! -e ${ARCHIVE_PATHS[0]} ] && [ ! -e ${ARCHIVE_PATHS[1]} ]; then`,
    `find ${MODULE_FOLDERS.join(' ')} -name kheaders.ko 2>/dev/null; fi`,
  ].join(' '),
};

function firstSighting(answers: Map<string, string>): ArchiveSighting | undefined {
  const stat = (answers.get('stat') ?? '').split('\n');
  const readable = (answers.get('readable') ?? '').split('\n');
  const sightings = ARCHIVE_PATHS.map((path) => sighting(path, stat, readable.includes(path)));
  return sightings.find((seen) => seen?.state === 'readable') ?? sightings.find((seen) => seen);
}

function sighting(path: string, stat: string[], readable: boolean): ArchiveSighting | undefined {
  const about = stat.find((line) => line.includes(path)) ?? '';
  const size = /^(\d{1,12}) /.exec(about)?.[1];
  const bytes = size === undefined ? undefined : Number(size);
  if (readable) return { path, state: 'readable', bytes };
  const denied = bytes !== undefined || /permission denied|operation not permitted/i.test(about);
  return denied ? { path, state: 'denied', bytes } : undefined;
}

/** The kernel itself keeps 64 characters of each (include/uapi/linux/utsname.h). */
const LONGEST_UTS_FIELD = 256;

function parseKernel(answers: Map<string, string>): Kernel | undefined {
  const uname = /^(\d\S*) (.*) ([\w-]+)$/.exec(answers.get('uname') ?? '');
  const [, release, version, machine] = uname ?? [];
  if (release === undefined || version === undefined || machine === undefined) return undefined;
  if ([release, version, machine].some((field) => field.length > LONGEST_UTS_FIELD)) return undefined;
  const bootId = /^[0-9a-f-]{36}$/.exec(answers.get('boot') ?? '')?.[0];
  return { release, version, machine, arch: architecture(machine), bootId };
}

/** `uname -m` to the folder under `arch/`: a 32-bit shell on a 64-bit kernel says armv8l. */
function architecture(machine: string): string {
  if (/^(aarch64|arm64|armv8l)/.test(machine)) return 'arm64';
  if (machine.startsWith('arm')) return 'arm';
  if (/^(x86_64|i[3-6]86)$/.test(machine)) return 'x86';
  if (machine.startsWith('riscv')) return 'riscv';
  return machine;
}
