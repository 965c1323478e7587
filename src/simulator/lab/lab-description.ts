import type { SampleArchiveOptions } from '../../archive/sample-archive';
import type { FaultDescription } from '../faults';

/** The version of the lab file's form that is written and read here. */
export const LAB_VERSION = 1;

export const STATES = [
  'device',
  'offline',
  'unauthorized',
  'authorizing',
  'connecting',
  'recovery',
  'sideload',
  'bootloader',
  'no permissions',
] as const;

export type DeviceState = (typeof STATES)[number];

/** What a lab file holds; docs/simulator.md is its reference. */
export interface LabDescription {
  version?: typeof LAB_VERSION;
  adb?: AdbDescription;
  devices: DeviceDescription[];
}

/** The adb server itself. */
export interface AdbDescription {
  /** Protocol version; 41 when left out. Below 41 there are no transport ids in `tport`. */
  version?: number;
  /** What `host:host-features` says. */
  features?: string[];
  /** When the server is restarted, as someone's `adb kill-server` does. */
  restarts?: ChangeTimes;
}

export interface DeviceDescription {
  /** With `count`, a `#` in it becomes the number; without one, `-1`, `-2`, … is appended. */
  serial: string;
  count?: number;
  model?: string;
  product?: string;
  device?: string;
  /** Android version, as people say it. */
  android?: string;
  /** Android API level: decides the features and the commands that the device has. */
  sdk?: number;
  /** `ro.serialno`; the serial when left out. */
  serialno?: string;
  connection?: 'usb' | 'tcp';
  state?: DeviceState;
  /** After so many milliseconds the device is in state `device`. */
  readyAfterMs?: number;
  kernel?: KernelDescription;
  headers?: HeadersDescription;
  /** What becomes of it while the lab runs. */
  changes?: ChangeDescription[];
  /** What adbd says it speaks; by the API level when left out. */
  features?: string[];
  user?: 'shell' | 'root';
  adbRoot?: 'allowed' | 'refused';
  su?: 'none' | 'aosp' | 'magisk' | 'magisk-refused';
  md5sum?: boolean;
  /** Bytes per second, over all its services. */
  speed?: number;
  /** Milliseconds before each service answers. */
  latency?: number;
  faults?: FaultDescription[];
  properties?: Record<string, string>;
  /** Further files by their path; null takes one away. */
  files?: Record<string, string | FileDescription | null>;
}

/** What a device boots. */
export type BootDescription = Pick<DeviceDescription, 'kernel' | 'headers' | 'files'>;

/** All in milliseconds. */
export interface ChangeTimes {
  /** From the start of the lab to the first time. */
  afterMs: number;
  /** From one time to the next; once, when left out. */
  everyMs?: number;
  /** How long it lasts; docs/simulator.md says what it means where it is left out. */
  forMs?: number;
}

/** docs/simulator.md tells what each does. */
export type ChangeDescription = ChangeTimes & {
  /** With `count`: each further device so much later than the one before. */
  apartMs?: number;
} & (
    | { do: 'vanish' | 'hang' }
    | { do: 'state'; state: DeviceState }
    | { do: 'fault'; fault: FaultDescription }
    /** Each time into the next of them, and from the last into the first. */
    | { do: 'reboot'; into?: Pick<BootDescription, 'kernel' | 'headers'>[] }
    /** Each time to the next of them. */
    | { do: 'rename'; serials: string[] }
  );

export interface KernelDescription {
  /** `uname -r` */
  release?: string;
  /** `uname -v` */
  version?: string;
  /** `uname -m` */
  machine?: string;
}

/** "sample": made for the device's kernel; another text: a path beside the lab file. Only tests hand over bytes. */
export type ArchiveDescription = string | { sample: Partial<SampleArchiveOptions> } | Buffer;

export const MODULE_ERRORS = ['ENOEXEC', 'ENOKEY', 'EKEYREJECTED', 'EPERM'] as const;

interface WithArchive {
  archive?: ArchiveDescription;
  /** Where the archive appears; `/sys/kernel/kheaders.tar.xz` when left out. */
  path?: string;
}

export type HeadersDescription =
  | ({ kind: 'built-in' } & WithArchive)
  | ({ kind: 'denied'; by?: 'selinux' | 'mode' } & WithArchive)
  | ({ kind: 'module'; file?: string; loaded?: boolean; modulesDep?: boolean } & WithArchive)
  | ({
      kind: 'module-broken';
      file?: string;
      error?: (typeof MODULE_ERRORS)[number];
      modulesDep?: boolean;
    } & WithArchive)
  | { kind: 'absent' };

export interface FileDescription {
  text?: string;
  base64?: string;
  /** A path beside the lab file. */
  from?: string;
  link?: string;
  directory?: true;
  /** Permission bits as digits of base 8: "0444". */
  mode?: string;
  owner?: 'root' | 'shell';
  /** Denied to all but root, stat included. */
  denied?: boolean;
}
