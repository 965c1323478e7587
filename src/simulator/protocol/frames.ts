/**
 * The frames of adb's smart socket and of its two protocols on top.
 *
 * @see AOSP packages/modules/adb: OVERVIEW.TXT, SERVICES.TXT, SYNC.TXT, shell_protocol.h
 */

export const OKAY = Buffer.from('OKAY');

/** Text with its length in four hex digits in front: a payload of a host service. */
export function hexFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from(payload.length.toString(16).padStart(4, '0')), payload]);
}

export function failFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from('FAIL'), hexFrame(text)]);
}

/** @returns the length that four hex digits say, or undefined where they are none */
export function parseHexLength(digits: Buffer): number | undefined {
  const text = digits.toString('latin1');
  return /^[0-9a-fA-F]{4}$/.test(text) ? Number.parseInt(text, 16) : undefined;
}

/** What an adb sync frame begins with: an id of four letters and a number. */
export function syncHeader(id: string, value: number): Buffer {
  const header = Buffer.alloc(8);
  header.write(id, 'latin1');
  header.writeUInt32LE(value, 4);
  return header;
}

export function syncFail(text: string): Buffer {
  const message = Buffer.from(text);
  return Buffer.concat([syncHeader('FAIL', message.length), message]);
}

/** Packet ids of shell_v2. */
export const SHELL_PACKET = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  exit: 3,
  closeStdin: 4,
  windowSize: 5,
} as const;

export function shellPacket(id: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(id, 0);
  header.writeUInt32LE(payload.length, 1);
  return Buffer.concat([header, payload]);
}
