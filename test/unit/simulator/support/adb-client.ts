import { createConnection, type Socket } from 'node:net';

/** A raw client of an adb server: what it writes and reads is up to the test. */
export interface AdbClient {
  socket: Socket;
  send(request: string): void;
  write(bytes: Buffer): void;
  /** So many bytes; rejects when the server closes first. */
  read(length: number): Promise<Buffer>;
  /** All that comes until the server closes. */
  readAll(): Promise<Buffer>;
  /** Whether the server closes now, without another byte. */
  close(): void;
}

export async function adbClient(port: number): Promise<AdbClient> {
  const socket = createConnection({ port, host: '127.0.0.1' });
  let received = Buffer.alloc(0);
  let ended = false;
  let wake: () => void = () => undefined;
  const changed = () => new Promise<void>((resolve) => (wake = resolve));
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    wake();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    ended = true;
    wake();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const take = (length: number) => {
    const taken = received.subarray(0, length);
    received = received.subarray(length);
    return taken;
  };
  return {
    socket,
    send: (request) => socket.write(frame(request)),
    write: (bytes) => socket.write(bytes),
    read: async (length) => {
      while (received.length < length) {
        if (ended) throw new Error(`closed after ${JSON.stringify(received.toString('latin1'))}`);
        await changed();
      }
      return take(length);
    },
    readAll: async () => {
      while (!ended) await changed();
      return take(received.length);
    },
    close: () => socket.destroy(),
  };
}

function frame(request: string): Buffer {
  const bytes = Buffer.from(request);
  return Buffer.concat([Buffer.from(bytes.length.toString(16).padStart(4, '0')), bytes]);
}

/** Sends one request, and gives all that the server says to it. */
export async function ask(port: number, request: string): Promise<string> {
  const client = await adbClient(port);
  client.send(request);
  return (await client.readAll()).toString('utf8');
}

/** Asks to be told of every change of the device list. @returns what gives the next list, the present one first */
export async function trackDevices(
  port: number,
  service = 'host:track-devices',
): Promise<() => Promise<string>> {
  const client = await adbClient(port);
  client.send(service);
  expectOkay(await client.read(4));
  return async () => {
    const length = parseInt((await client.read(4)).toString('latin1'), 16);
    return (await client.read(length)).toString('utf8');
  };
}

/** A connection to a device, on which a service was asked for and granted. */
export async function openService(port: number, serial: string, service: string): Promise<AdbClient> {
  const client = await adbClient(port);
  client.send(`host:transport:${serial}`);
  expectOkay(await client.read(4));
  client.send(service);
  expectOkay(await client.read(4));
  return client;
}

function expectOkay(reply: Buffer): void {
  expect(reply.toString('latin1')).toBe('OKAY');
}

export interface ShellResult {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

/** Runs a command by shell_v2, and takes the packets apart. */
export async function shell(port: number, serial: string, commandLine: string): Promise<ShellResult> {
  const client = await openService(port, serial, `shell,v2,raw:${commandLine}`);
  return parsePackets(await client.readAll());
}

export function parsePackets(bytes: Buffer): ShellResult {
  const result: ShellResult = { exitCode: undefined, stdout: '', stderr: '' };
  for (let at = 0; at + 5 <= bytes.length;) {
    const length = bytes.readUInt32LE(at + 1);
    const payload = bytes.subarray(at + 5, at + 5 + length);
    const id = bytes.readUInt8(at);
    if (id === 1) result.stdout += payload.toString('utf8');
    if (id === 2) result.stderr += payload.toString('utf8');
    if (id === 3) result.exitCode = payload.readUInt8(0);
    at += 5 + length;
  }
  return result;
}

/** A sync request: id, length, path. */
export function syncRequest(id: string, path: string): Buffer {
  const bytes = Buffer.from(path);
  const header = Buffer.alloc(8);
  header.write(id, 'latin1');
  header.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

/** Takes the frames of one RECV apart. @returns the content, and the text of a FAIL */
export async function receiveFile(client: AdbClient): Promise<{ content: Buffer; failure?: string }> {
  const chunks: Buffer[] = [];
  for (;;) {
    const header = await client.read(8);
    const id = header.toString('latin1', 0, 4);
    const length = header.readUInt32LE(4);
    if (id === 'DONE') return { content: Buffer.concat(chunks) };
    const payload = await client.read(length);
    if (id === 'FAIL') return { content: Buffer.concat(chunks), failure: payload.toString('utf8') };
    expect(id).toBe('DATA');
    chunks.push(payload);
  }
}
