import type { RemoteStat } from './adb-device';
import type { AdbSocket } from './adb-socket';
import { remoteErrorOfErrno, remoteErrorOfText, uncertainNotFound } from './remote-error';
import { garbage } from './smart-socket';

/** Requests and answers on this service are four letters, a u32le, and what that announces. */
export const SYNC_SERVICE = 'sync:';

const LONGEST_PATH = 1024;
const LONGEST_CHUNK = 64 * 1024;
/** adbd puts a file name and an errno text in it. */
const LONGEST_FAIL = 16 * 1024;

/**
 * Asks for a file's kind, mode and size, following links, and with the
 * device's errno: STA2, where the device has stat_v2.
 *
 * @throws KhError REMOTE_NOT_FOUND, REMOTE_DENIED, REMOTE_IO, ADB_PROTOCOL; and as `AdbSocket`
 * @see AOSP packages/modules/adb/file_sync_protocol.h
 */
export async function statV2(socket: AdbSocket, path: string): Promise<RemoteStat> {
  await sendRequest(socket, 'STA2', path);
  await expectAnswer(socket, 'STA2', path);
  const body = await socket.read(68);
  const errno = body.readUInt32LE(0);
  if (errno !== 0) throw remoteErrorOfErrno(path, errno);
  const size = body.readBigUInt64LE(36);
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw garbage(`a file of ${size} bytes`);
  return remoteStat(body.readUInt32LE(20), Number(size));
}

/**
 * The same on devices without stat_v2: STAT, which does not follow links,
 * and answers zeros to every failure.
 *
 * @throws KhError REMOTE_NOT_FOUND with `details.certain: false`, ADB_PROTOCOL; and as `AdbSocket`
 * @see AOSP packages/modules/adb/SYNC.TXT
 */
export async function statV1(socket: AdbSocket, path: string): Promise<RemoteStat> {
  await sendRequest(socket, 'STAT', path);
  await expectAnswer(socket, 'STAT', path);
  const body = await socket.read(12);
  const mode = body.readUInt32LE(0);
  if (mode === 0) throw uncertainNotFound(path);
  return remoteStat(mode, body.readUInt32LE(4));
}

/**
 * Reads a file, chunk by chunk.
 *
 * The daemon answers FAIL instead of data when it cannot open the file, and
 * may do so after data has flowed; only DONE ends the generator well, so a
 * short file can never look like a whole one.
 *
 * @throws KhError REMOTE_NOT_FOUND, REMOTE_DENIED, REMOTE_IO, ADB_PROTOCOL; and as `AdbSocket`
 * @see AOSP packages/modules/adb/SYNC.TXT
 */
export async function* receiveFile(socket: AdbSocket, path: string): AsyncGenerator<Buffer, void, undefined> {
  await sendRequest(socket, 'RECV', path);
  for (;;) {
    const { id, value } = await readHeader(socket);
    switch (id) {
      case 'DATA':
        if (value > LONGEST_CHUNK) throw garbage(`a chunk of ${value} bytes in a file transfer`);
        if (value > 0) yield await socket.read(value);
        break;
      case 'DONE':
        socket.sayLast(frame('QUIT', 0));
        return;
      case 'FAIL':
        throw await readFail(socket, value, path);
      default:
        throw garbage(`${JSON.stringify(id)} in a file transfer`);
    }
  }
}

/**
 * Writes a file: made or replaced, with these permission bits and the present
 * time. adbd reads all of it even where it has failed, and answers at the end.
 *
 * @throws KhError REMOTE_NOT_FOUND, REMOTE_DENIED, REMOTE_IO, ADB_PROTOCOL; what `chunks` throws; and as `AdbSocket`
 * @see AOSP packages/modules/adb/SYNC.TXT
 */
export async function sendFile(
  socket: AdbSocket,
  path: string,
  mode: number,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<void> {
  await sendRequest(socket, 'SEND', `${path},${0o100000 | (mode & 0o777)}`);
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length; start += LONGEST_CHUNK) {
      const part = chunk.subarray(start, start + LONGEST_CHUNK);
      await socket.write(Buffer.concat([frame('DATA', part.length), part]));
    }
  }
  await socket.write(frame('DONE', Math.floor(Date.now() / 1000)));
  const { id, value } = await readHeader(socket);
  if (id === 'FAIL') throw await readFail(socket, value, path);
  if (id !== 'OKAY') throw garbage(`${JSON.stringify(id)} after a file was sent`);
  socket.sayLast(frame('QUIT', 0));
}

async function sendRequest(socket: AdbSocket, id: string, path: string): Promise<void> {
  const name = Buffer.from(path);
  if (name.length > LONGEST_PATH || path.includes('\0')) {
    throw garbage(
      `a path of ${name.length} bytes cannot be asked for (at most ${LONGEST_PATH}, without NUL)`,
    );
  }
  await socket.write(Buffer.concat([frame(id, name.length), name]));
}

/** Reads the id of an answer that has a body of its own instead of a length. */
async function expectAnswer(socket: AdbSocket, wanted: string, path: string): Promise<void> {
  const id = (await socket.read(4)).toString('latin1');
  if (id === wanted) return;
  if (id === 'FAIL') throw await readFail(socket, (await socket.read(4)).readUInt32LE(0), path);
  throw garbage(`${JSON.stringify(id)} where ${wanted} was due`);
}

async function readHeader(socket: AdbSocket): Promise<{ id: string; value: number }> {
  const header = await socket.read(8);
  return { id: header.toString('latin1', 0, 4), value: header.readUInt32LE(4) };
}

async function readFail(socket: AdbSocket, length: number, path: string): Promise<Error> {
  if (length > LONGEST_FAIL) return garbage(`a failure text of ${length} bytes`);
  return remoteErrorOfText(path, (await socket.read(length)).toString('utf8'));
}

function frame(id: string, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.write(id, 'latin1');
  bytes.writeUInt32LE(value, 4);
  return bytes;
}

const KINDS: Record<number, RemoteStat['kind']> = {
  0o100000: 'file',
  0o040000: 'directory',
  0o120000: 'link',
};

function remoteStat(mode: number, size: number): RemoteStat {
  return { kind: KINDS[mode & 0o170000] ?? 'other', mode: mode & 0o7777, size };
}
