import { SystemCallError } from './errno';
import type { FaultDescription } from './faults';
import type { OpenFile, Stat } from './file-system';
import type { SimulatedDevice } from './simulated-device';

/** Reads a file to its end, with the fault that is due: `corrupt`, `wrong-size` (too short) or `fail`. */
export function* readWithFault(file: OpenFile, fault: FaultDescription | undefined): Generator<Buffer> {
  const at = fault?.at ?? Math.floor(file.size / 2);
  for (let offset = 0; ;) {
    const chunk = file.read(offset);
    if (chunk.length === 0) return;
    const struck = fault !== undefined && offset + chunk.length > at && offset <= at;
    if (!struck) {
      yield chunk;
    } else if (fault.kind === 'corrupt') {
      yield withBitFlipped(chunk, at - offset);
    } else {
      if (at > offset) yield chunk.subarray(0, at - offset);
      if (fault.kind === 'fail') throw new SystemCallError('EIO');
      if (fault.kind === 'wrong-size') return;
    }
    offset += chunk.length;
  }
}

function withBitFlipped(chunk: Buffer, at: number): Buffer {
  const copy = Buffer.from(chunk);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

/**
 * stat(2), with the fault that is due: `refuse` and `fail`, or `wrong-size` by
 * `at` bytes, by one where it is left out.
 */
export function statWithFault(
  device: SimulatedDevice,
  path: string,
  uid: number,
  options = { follow: true },
): Stat {
  const stat = device.files.stat(path, uid, options);
  if (stat.kind !== 'file') return stat;
  const fault = device.faults.strike('stat', ['refuse', 'fail', 'wrong-size'], path);
  if (fault?.kind === 'refuse') throw new SystemCallError('EACCES');
  if (fault?.kind === 'fail') throw new SystemCallError('EIO');
  return fault === undefined ? stat : { ...stat, size: stat.size + (fault.at ?? 1) };
}
