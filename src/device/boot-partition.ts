import { KhError } from '../core/errors';
import type { Work } from '../core/work';
import { commandLineFor, runWith, type Access } from './access';
import { bounds } from './bounds';
import type { Rights } from './rights';
import { script } from './script';
import { shellQuote } from './shell-quote';

/** The partition that holds the kernel, open for reading wherever one likes. */
export interface BootPartition {
  /** On the device. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset` on; both lie within `size`. */
  read(offset: number, length: number): Promise<Buffer>;
  /** The same, piece by piece and with back pressure. */
  stream(offset: number, length: number): AsyncGenerator<Buffer, void, undefined>;
}

/**
 * Finds the boot partition of the slot that runs. init_boot and vendor_boot
 * hold ramdisks, never the kernel.
 *
 * What is flashed need not be what runs: `fastboot boot`, or an update that
 * waits for its reboot. Whoever reads it compares the releases.
 *
 * `read` and `stream` throw REMOTE_IO where the partition gives fewer bytes
 * than it has, and as `AdbDevice.stream`.
 *
 * @throws KhError REMOTE_DENIED without root, REMOTE_NOT_FOUND, and as `AdbDevice.run`
 */
export async function openBootPartition(rights: Rights, work: Work): Promise<BootPartition> {
  const access = await rights.root();
  const { serial } = rights.access.adb;
  if (access === undefined) {
    throw new KhError('REMOTE_DENIED', {
      serial,
      message: ['reading the boot partition takes root', ...rights.refusals.map(({ why }) => why)].join('; '),
      details: { refusals: rights.refusals },
    });
  }
  const questions = script(QUESTIONS);
  const output = await runWith(access, questions.commandLine, bounds(work, 'looking for the boot partition'));
  const answers = questions.parse(output.stdout);
  const path = answers.get('path') ?? '';
  if (!path.startsWith('/dev/block/')) throw noPartition(serial, answers.get('slot') ?? '');
  const size = partitionSize(answers);
  if (size === undefined) {
    throw new KhError('REMOTE_IO', { serial, message: `the device does not say how large ${path} is` });
  }
  const stream = (offset: number, length: number) =>
    streamRange(access, { path, size }, offset, length, work);
  return { path, size, stream, read: (offset, length) => collect(stream(offset, length), length) };
}

/**
 * Where Android has had its links to partitions, the newest first; BOOT is
 * how some vendors write it. The shell is one for all questions.
 */
const QUESTIONS = {
  slot: 'slot=$(getprop ro.boot.slot_suffix 2>/dev/null); echo "$slot"',
  path: [
    'for boot in /dev/block/by-name/boot$slot /dev/block/bootdevice/by-name/boot$slot',
    '/dev/block/platform/*/by-name/boot$slot /dev/block/platform/*/*/by-name/boot$slot',
    '/dev/block/by-name/BOOT$slot /dev/block/bootdevice/by-name/BOOT$slot',
    '/dev/block/platform/*/by-name/BOOT$slot /dev/block/platform/*/*/by-name/BOOT$slot; do',
    'if [ -e "$boot" ]; then echo "$boot"; break; fi; done',
  ].join(' '),
  bytes: 'blockdev --getsize64 "$boot" 2>/dev/null',
  sectors: 'node=$(readlink -f "$boot"); cat "/sys/class/block/${node##*/}/size" 2>/dev/null',
};

const SECTOR = 512;

function partitionSize(answers: Map<string, string>): number | undefined {
  const number = (name: string) => Number(/^\d{1,12}$/.exec(answers.get(name) ?? '')?.[0] ?? 0);
  return number('bytes') || number('sectors') * SECTOR || undefined;
}

function noPartition(serial: string, slot: string): KhError {
  return new KhError('REMOTE_NOT_FOUND', {
    serial,
    message: `no boot${slot} partition is listed below /dev/block`,
    hint: 'Give the boot image that is flashed there with --boot-image.',
    details: { slot },
  });
}

/** What is read at a time on the device. */
const BLOCK = 64 * 1024;

/**
 * `exec:` carries no exit code, so what comes is counted. dd seeks; where it is
 * missing, as in some builds of toybox, head and tail do the same more slowly.
 */
async function* streamRange(
  access: Access,
  { path, size }: { path: string; size: number },
  offset: number,
  length: number,
  work: Work,
): AsyncGenerator<Buffer, void, undefined> {
  if (offset < 0 || length < 0 || offset + length > size) {
    throw new RangeError(`${length} bytes at ${offset} are not within ${path}`);
  }
  const first = Math.floor(offset / BLOCK);
  const count = Math.ceil((offset + length) / BLOCK) - first;
  const quoted = shellQuote(path);
  const commandLine = [
    `if command -v dd >/dev/null; then dd if=${quoted} bs=${BLOCK} skip=${first} count=${count} 2>/dev/null;`,
    `else tail -c +${first * BLOCK + 1} ${quoted} 2>/dev/null | head -c ${count * BLOCK}; fi`,
  ].join(' ');
  let skip = offset - first * BLOCK;
  let left = length;
  for await (const chunk of access.adb.stream(
    commandLineFor(access, commandLine),
    bounds(work, `reading ${path}`),
  )) {
    const part = chunk.subarray(skip, skip + left);
    skip = Math.max(0, skip - chunk.length);
    left -= part.length;
    if (part.length > 0) yield part;
    if (left === 0) return;
  }
  if (left === 0) return;
  throw new KhError('REMOTE_IO', {
    serial: access.adb.serial,
    message: `${path} gave ${length - left} of ${length} bytes`,
    hint: 'Root may be kept from it by SELinux: see `adb shell dmesg | grep avc`.',
    details: { path, offset, length },
  });
}

async function collect(chunks: AsyncIterable<Buffer>, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  for await (const chunk of chunks) filled += chunk.copy(bytes, filled);
  return bytes;
}
