import { stateError } from '../../adb/device-state';
import { withDeadline } from '../../core/abort';
import { asKhError } from '../../core/errors';
import type { TimeLimits } from '../../core/limits';
import { bounds } from '../../device/bounds';
import { headersStatus, type HeadersStatus } from '../../device/headers-status';
import { readKernelConfig } from '../../device/kernel-config';
import { probeDevice, type Kernel } from '../../device/probe';
import { readProperties } from '../../device/properties';
import { askAbilities, type RootWay } from '../../device/abilities';
import { concurrently } from '../concurrently';
import type { LabDevice } from '../lab/reach-lab';
import { findings, type DoctorFinding } from './finding';

/** What a device can give, as far as a look without root tells. */
export interface DoctorDevice {
  serial: string;
  server: string;
  /** The serial; `server/serial` where there are several servers. */
  name: string;
  state: string;
  model?: string;
  release?: string;
  machine?: string;
  headers?: HeadersStatus;
  /** How root is to be had: `adbd` runs as root, `adb root` works, `su` is there. Nobody was asked for it. */
  root?: RootWay;
  /** Whether the boot partition, where the kernel's CRCs are, is where Android has it. */
  bootPartition?: boolean;
  /** Whether the kernel shows its own types in /sys/kernel/btf. */
  btf?: boolean;
}

export interface SeenDevice {
  device: DoctorDevice;
  /** The kernel that runs, and its `.config`, where the device shows them. */
  kernel?: Kernel;
  config?: string;
  findings: DoctorFinding[];
}

/** Longest look at one device, in milliseconds: one that hangs must not hold up the rest for long. */
const LOOK = 10_000;
const AT_ONCE = 32;

/** Looks at devices, many at a time, and changes nothing on any. */
export function lookAtDevices(
  devices: LabDevice[],
  work: { signal: AbortSignal; times: TimeLimits },
): Promise<SeenDevice[]> {
  return concurrently(devices, AT_ONCE, async (listed) => {
    const { serial, name, state, model } = listed;
    const outside = {
      serial,
      server: listed.server.name,
      name,
      state,
      ...(model === undefined ? {} : { model }),
    };
    const { failed } = findings('device', name);
    if (state !== 'device') return { device: outside, findings: [failed(stateError(listed))] };
    try {
      const seen = await withDeadline((signal) => look(listed, { ...work, signal }), {
        signal: work.signal,
        milliseconds: Math.min(LOOK, work.times.stall),
        what: 'looking at this device',
      });
      const device = { ...outside, ...seen.device };
      return { ...seen, device, findings: deviceFindings(device) };
    } catch (thrown) {
      work.signal.throwIfAborted();
      return { device: outside, findings: [failed(asKhError(thrown))] };
    }
  });
}

async function look(listed: LabDevice, work: { signal: AbortSignal; times: TimeLimits }) {
  const quiet = { ...work, emit: () => undefined };
  const adb = await listed.server.adb.open(listed, bounds(quiet));
  const access = { adb, privilege: 'plain', root: false } as const;
  const [probe, { model }, abilities, config] = await Promise.all([
    probeDevice(access, bounds(quiet)),
    readProperties(access, bounds(quiet)),
    askAbilities(access, bounds(quiet)),
    readKernelConfig(access, bounds(quiet)),
  ]);
  const { kernel } = probe;
  const { release, machine } = kernel;
  const headers = await headersStatus(access, probe, bounds(quiet));
  return {
    kernel,
    device: { ...(model === undefined ? {} : { model }), release, machine, headers, ...abilities },
    ...(config === undefined ? {} : { config: config.toString('latin1') }),
  };
}

function deviceFindings(device: DoctorDevice): DoctorFinding[] {
  const { name, release = '', root = 'none', bootPartition = false, btf = false } = device;
  const { ok, note } = findings('device', name);
  const rooted = root === 'none' ? 'no root is to be had' : `root: ${ROOT[root]}`;
  const crcs =
    root === 'none' || !bootPartition
      ? note(
          `${rooted}; the boot partition can't be read: CRCs of the kernel's symbols come from its modules only`,
          'kh symvers --boot-image FILE, with the boot image that is flashed',
        )
      : ok(`${rooted}; the boot partition can be read for the CRCs of the kernel's symbols`);
  const types = btf
    ? ok('the kernel shows its types (BTF)')
    : note('the kernel shows no types (BTF): tracing programs need the headers');
  return [headersFinding(device), ok(`kernel ${release}`), crcs, types];
}

const ROOT = { adbd: 'adbd runs as root', 'adb-root': '`adb root` is allowed', su: 'there is a su' };

function headersFinding({ name, headers, root = 'none' }: DoctorDevice): DoctorFinding {
  const { ok, note, error } = findings('device', name);
  const path = headers?.path ?? 'kheaders.ko';
  const rooted = root !== 'none';
  switch (headers?.status) {
    case 'built-in':
      return ok(`the headers are built in, and can be read: ${path}`);
    case 'module-loaded':
      return ok(`the headers are in a module that is loaded, and can be read: ${path}`);
    case 'module':
      if (rooted) return ok(`the headers are in ${path}, which kh loads as root while it pulls`);
      return error(
        'HEADERS_MODULE_UNLOADABLE',
        `the headers are in ${path}, which only root can load`,
        ROOT_IT,
      );
    case 'denied':
      if (rooted) return ok(`the headers are in ${path}, which kh reads as root`);
      return error('HEADERS_DENIED', `${path} is there, but the shell user may not read it`, ROOT_IT);
    case 'absent':
      return error(
        'HEADERS_ABSENT',
        'this kernel was built without its headers (CONFIG_IKHEADERS)',
        'flash a kernel that has them: GKI kernels do since android12-5.10',
      );
    case 'unknown':
    case undefined:
      return note('whether this kernel has its headers can only be seen as root', 'kh pull tries it');
  }
}

const ROOT_IT = 'use a userdebug build (adb root), or grant su to the shell app on a rooted phone';
