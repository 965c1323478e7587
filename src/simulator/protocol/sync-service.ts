import { posix } from 'node:path';
import { SystemCallError } from '../errno';
import { KERNEL_PAGE, type Stat } from '../file-system';
import { readWithFault, statWithFault } from '../content-faults';
import { syncFail, syncHeader } from './frames';
import type { Wire } from './wire';

const LONGEST_PATH = 1024;
const LARGEST_DATA = 65536;
/** The most that is gathered before it is sent, in bytes. */
const BATCH = 131072;

const FILE_TYPES = { file: 0o100000, directory: 0o040000, link: 0o120000 } as const;

/** One sync session: requests one after another until QUIT, a FAIL, or the client leaves. */
export async function serveSync(wire: Wire): Promise<void> {
  for (;;) {
    const header = await wire.connection.read(8);
    const id = header.toString('latin1', 0, 4);
    const length = header.readUInt32LE(4);
    if (id === 'QUIT') return;
    const handler = HANDLERS[id];
    if (length > LONGEST_PATH) return wire.write(syncFail('path too long'));
    const path = (await wire.connection.read(length)).toString('utf8');
    if (handler === undefined) return wire.write(syncFail(`unknown command ${id}`));
    if ((await handler(wire, path)) === 'failed') return;
  }
}

type Handler = (wire: Wire, path: string) => Promise<'done' | 'failed'>;

const HANDLERS: Record<string, Handler | undefined> = {
  STAT: answerStat('STAT'),
  STA2: answerStat('STA2'),
  LST2: answerStat('LST2'),
  LIST: list,
  RECV: receive,
  SEND: send,
};

function answerStat(id: 'STAT' | 'STA2' | 'LST2'): Handler {
  return async (wire, path) => {
    const { device } = wire;
    wire.begin('stat', path);
    if (id !== 'STAT' && !device.parts.description.features.includes('stat_v2')) {
      return fail(wire, `unknown command ${id}`);
    }
    let answer: Stat | SystemCallError;
    try {
      answer = statWithFault(device, path, device.uid, { follow: id === 'STA2' });
    } catch (error) {
      answer = asSystemCallError(error);
    }
    await wire.write(id === 'STAT' ? statV1(answer) : statV2(id, answer));
    await wire.finish();
    return 'done';
  };
}

/** Version 1 has no room for an error: every failure is all zero. */
function statV1(answer: Stat | SystemCallError): Buffer {
  const reply = Buffer.alloc(16);
  reply.write('STAT', 'latin1');
  if (answer instanceof SystemCallError) return reply;
  reply.writeUInt32LE(modeOf(answer), 4);
  reply.writeUInt32LE(answer.size >>> 0, 8);
  reply.writeUInt32LE(answer.mtime, 12);
  return reply;
}

function statV2(id: string, answer: Stat | SystemCallError): Buffer {
  const reply = Buffer.alloc(72);
  reply.write(id, 'latin1');
  if (answer instanceof SystemCallError) {
    reply.writeUInt32LE(answer.number, 4);
    return reply;
  }
  reply.writeUInt32LE(modeOf(answer), 24);
  reply.writeUInt32LE(1, 28);
  reply.writeUInt32LE(answer.uid, 32);
  reply.writeUInt32LE(answer.uid, 36);
  reply.writeBigUInt64LE(BigInt(answer.size), 40);
  for (const at of [48, 56, 64]) reply.writeBigInt64LE(BigInt(answer.mtime), at);
  return reply;
}

function modeOf({ kind, mode }: Stat): number {
  return FILE_TYPES[kind] | mode;
}

/** adbd leaves out what it may not stat, and answers a folder that it can't open with no entries. */
async function list(wire: Wire, path: string): Promise<'done' | 'failed'> {
  const { device } = wire;
  wire.begin('stat', path);
  const entries: Buffer[] = [];
  try {
    for (const name of device.files.list(path, device.uid)) {
      const stat = statOrUndefined(wire, posix.join(path, name));
      if (stat !== undefined) entries.push(directoryEntry(name, stat));
    }
  } catch (error) {
    asSystemCallError(error);
  }
  await wire.write(Buffer.concat([...entries, syncHeader('DONE', 0), Buffer.alloc(12)]));
  await wire.finish();
  return 'done';
}

function statOrUndefined({ device }: Wire, path: string): Stat | undefined {
  try {
    return statWithFault(device, path, device.uid, { follow: false });
  } catch (error) {
    asSystemCallError(error);
    return undefined;
  }
}

function directoryEntry(name: string, stat: Stat): Buffer {
  const bytes = Buffer.from(name);
  const entry = Buffer.alloc(20);
  entry.write('DENT', 'latin1');
  entry.writeUInt32LE(modeOf(stat), 4);
  entry.writeUInt32LE(stat.size >>> 0, 8);
  entry.writeUInt32LE(stat.mtime, 12);
  entry.writeUInt32LE(bytes.length, 16);
  return Buffer.concat([entry, bytes]);
}

async function receive(wire: Wire, path: string): Promise<'done' | 'failed'> {
  const { device } = wire;
  wire.begin('recv', path);
  device.counters.recvStarted += 1;
  const fault = device.faults.strike('recv', ['refuse', 'corrupt', 'wrong-size', 'fail'], path);
  if (fault?.kind === 'refuse') return fail(wire, 'open failed: Permission denied');
  let closed: (() => void) | undefined;
  try {
    const file = device.files.open(path, device.uid);
    closed = device.noteOpen(ADBD_PID, device.uid, path);
    await sendChunks(wire, readWithFault(file, fault));
    await wire.write(syncHeader('DONE', 0));
    await wire.finish();
  } catch (error) {
    const what = closed === undefined ? 'open failed' : 'read failed';
    return await fail(wire, `${what}: ${asSystemCallError(error).message}`);
  } finally {
    closed?.();
  }
  device.counters.recvCompleted += 1;
  return 'done';
}

/** Where adbd is in /proc. */
const ADBD_PID = 612;

/** One DATA frame for each read(2), several of them in one write to the socket. */
async function sendChunks(wire: Wire, chunks: Iterable<Buffer>): Promise<void> {
  let batch: Buffer[] = [];
  let bytes = 0;
  const flush = async () => {
    await wire.write(Buffer.concat(batch));
    batch = [];
    bytes = 0;
  };
  try {
    for (const chunk of chunks) {
      batch.push(syncHeader('DATA', chunk.length), chunk);
      bytes += chunk.length + 8;
      if (bytes >= BATCH - KERNEL_PAGE) await flush();
    }
  } finally {
    await flush();
  }
}

/** SEND "path,mode": DATA frames until DONE, whose number is the time of modification. */
async function send(wire: Wire, request: string): Promise<'done' | 'failed'> {
  const { device } = wire;
  const comma = request.lastIndexOf(',');
  const path = comma < 0 ? request : request.slice(0, comma);
  const mode = comma < 0 ? 0o644 : Number.parseInt(request.slice(comma + 1), 10);
  const content = await readData(wire);
  if (content === undefined) return fail(wire, 'invalid data message');
  try {
    makeFolders(wire, posix.dirname(path));
    device.files.write(path, content, device.uid, mode & 0o777);
    device.files.changeMode(path, mode & 0o777, device.uid);
  } catch (error) {
    return fail(wire, `couldn't create file: ${asSystemCallError(error).message}`);
  }
  await wire.write(syncHeader('OKAY', 0));
  return 'done';
}

function makeFolders(wire: Wire, path: string): void {
  const { device } = wire;
  try {
    device.files.stat(path, device.uid);
  } catch (error) {
    if (asSystemCallError(error).errno !== 'ENOENT') throw error;
    makeFolders(wire, posix.dirname(path));
    device.files.makeDirectory(path, device.uid, 0o775);
  }
}

async function readData({ connection }: Wire): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  for (;;) {
    const header = await connection.read(8);
    const id = header.toString('latin1', 0, 4);
    const value = header.readUInt32LE(4);
    if (id === 'DONE') return Buffer.concat(chunks);
    if (id !== 'DATA' || value > LARGEST_DATA) return undefined;
    chunks.push(await connection.read(value));
  }
}

async function fail(wire: Wire, text: string): Promise<'failed'> {
  await wire.write(syncFail(text));
  await wire.finish();
  return 'failed';
}

/** The error, if it is one of the simulated kernel; another one is passed on. */
function asSystemCallError(error: unknown): SystemCallError {
  if (error instanceof SystemCallError) return error;
  throw error;
}
