import { readFile } from 'node:fs/promises';
import { KhError } from '../../core/errors';
import type { ChangeDescription, DeviceDescription, LabDescription } from './lab-description';
import { notValid, validateLab } from './validate-lab';

/** Reads a lab file. @throws KhError USAGE where it can't be read, or is not valid */
export async function readLab(path: string): Promise<LabDescription> {
  const value = parseJson(await readText(path), path);
  const lab = validateLab(value);
  if (lab.version === undefined) throw notValid('version is missing; the present one is 1');
  return lab;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KhError('USAGE', { message: `the lab file can't be read: ${reason}`, cause });
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KhError('USAGE', { message: `${path} is no JSON: ${reason}`, cause });
  }
}

/** The devices one by one: a description with `count` becomes that many, with numbers in their serials. */
export function expandClones(descriptions: readonly DeviceDescription[]): DeviceDescription[] {
  const devices = descriptions.flatMap(({ count, ...description }) =>
    count === undefined
      ? [description]
      : Array.from({ length: count }, (_, index) => numbered(description, index + 1)),
  );
  const seen = new Set<string>();
  for (const { serial } of devices) {
    if (seen.has(serial)) throw notValid(`devices give two devices the serial ${JSON.stringify(serial)}`);
    seen.add(serial);
  }
  return devices;
}

function numbered(description: DeviceDescription, number: number): DeviceDescription {
  const { serial, serialno, changes } = description;
  const withNumber = (name: string) => name.replaceAll('#', String(number));
  return {
    ...description,
    serial: serial.includes('#') ? withNumber(serial) : `${serial}-${number}`,
    ...(serialno === undefined ? {} : { serialno: withNumber(serialno) }),
    ...(changes === undefined ? {} : { changes: changes.map((change) => apart(change, number)) }),
  };
}

function apart(change: ChangeDescription, number: number): ChangeDescription {
  const later = { ...change, afterMs: change.afterMs + (change.apartMs ?? 0) * (number - 1) };
  if (later.do !== 'rename') return later;
  return { ...later, serials: later.serials.map((serial) => serial.replaceAll('#', String(number))) };
}
