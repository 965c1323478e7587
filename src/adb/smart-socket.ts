import Protocol from '@devicefarmer/adbkit/dist/src/adb/protocol';
import { KhError } from '../core/errors';
import type { AdbSocket } from './adb-socket';

/** The longest request and the longest answer that four hex digits can announce. */
const LONGEST = 0xffff;

/** The server, or the device, refused a request; `text` is its own. */
export class FailReply extends Error {
  constructor(
    readonly service: string,
    readonly text: string,
  ) {
    super(`${service}: ${text}`);
  }
}

/**
 * Sends a request and waits for its OKAY.
 *
 * @throws FailReply; KhError ADB_PROTOCOL; and as `AdbSocket`
 * @see AOSP packages/modules/adb/OVERVIEW.TXT, "smart socket"
 */
export async function request(socket: AdbSocket, service: string): Promise<void> {
  const body = Buffer.from(service);
  if (body.length > LONGEST) {
    throw new KhError('ADB_PROTOCOL', {
      message: `a request of ${body.length} bytes is longer than adb can take (${LONGEST})`,
    });
  }
  await socket.write(Protocol.encodeData(body));
  await readStatus(socket, service);
}

/** Reads OKAY, or FAIL with its text. Throws as `request`. */
export async function readStatus(socket: AdbSocket, service: string): Promise<void> {
  const status = (await socket.read(4)).toString('latin1');
  if (status === Protocol.OKAY) return;
  if (status === Protocol.FAIL) throw new FailReply(service, (await readBlock(socket)).toString('utf8'));
  throw garbage(`${JSON.stringify(status)} where OKAY or FAIL was due`);
}

/** Reads a block: four hex digits of length, and as many bytes. */
export async function readBlock(socket: AdbSocket): Promise<Buffer> {
  const digits = (await socket.read(4)).toString('latin1');
  if (!/^[0-9a-f]{4}$/i.test(digits)) throw garbage(`${JSON.stringify(digits)} where a length was due`);
  return socket.read(Protocol.decodeLength(digits));
}

/** The error for bytes that adb's protocol does not allow. */
export function garbage(what: string): KhError {
  return new KhError('ADB_PROTOCOL', {
    message: `the answer is not adb's protocol: ${what}`,
    hint: 'Does an adb server listen there, or something else? Is anything between it and kh?',
  });
}
