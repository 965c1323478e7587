import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AdbServerAddress } from '../../../../src/adb/server-address';
import type { Pinned } from '../../../../src/adb/device-service';

/** One connection, as the server sees it. */
export interface Peer {
  socket: Socket;
  /** Reads exactly `length` bytes that the client sent. */
  read(length: number): Promise<Buffer>;
  /** Reads one request: four hex digits and a text. */
  readRequest(): Promise<string>;
  okay(data?: string | Buffer): void;
  /** A block: four hex digits and a text. */
  block(text: string): void;
  fail(text: string): void;
  write(data: string | Buffer): void;
  /** Settles when the client is gone. */
  closed: Promise<unknown>;
}

/** What the server does with each connection; the connection stays open until the script ends it. */
export type Script = (peer: Peer, index: number) => Promise<void> | void;

export interface FakeAdbServer {
  address: AdbServerAddress & { kind: 'tcp' };
  /** The device as tests pin it, with transport id 7. */
  pinned: Pinned;
  /** Connections that the client has not closed. */
  open(): number;
  /** Connections there ever were. */
  total(): number;
  stop(): Promise<void>;
}

/** A server that does nothing but what a script says, on a loopback port. */
export async function fakeAdbServer(script: Script): Promise<FakeAdbServer> {
  const sockets: Socket[] = [];
  let open = 0;
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const index = sockets.push(socket) - 1;
    open += 1;
    socket.on('error', () => undefined);
    const peer = makePeer(socket);
    void peer.closed.then(() => (open -= 1));
    void Promise.resolve(script(peer, index)).catch(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const address = { kind: 'tcp', host: '127.0.0.1', port } as const;
  return {
    address,
    pinned: { address, serial: 'PIXEL', transportId: '7' },
    open: () => open,
    total: () => sockets.length,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function makePeer(socket: Socket): Peer {
  let received = Buffer.alloc(0);
  let changed = (): void => undefined;
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    changed();
  });
  // The client's end of the connection ends or breaks: either way it has let go of it.
  const closed = new Promise<void>((resolve) => {
    socket.once('end', resolve);
    socket.once('close', () => resolve());
  });
  let over = false;
  void closed.then(() => {
    over = true;
    changed();
  });
  const read = async (length: number): Promise<Buffer> => {
    while (received.length < length) {
      if (over) throw new Error('the client is gone');
      await new Promise<void>((resolve) => (changed = resolve));
    }
    const data = received.subarray(0, length);
    received = received.subarray(length);
    return data;
  };
  const write = (data: string | Buffer) => void socket.write(data);
  return {
    socket,
    read,
    write,
    closed,
    readRequest: async () => (await read(Number.parseInt((await read(4)).toString(), 16))).toString(),
    okay: (data = '') => write(Buffer.concat([Buffer.from('OKAY'), Buffer.from(data)])),
    block: (text) => write(hexBlock(text)),
    fail: (text) => write(Buffer.concat([Buffer.from('FAIL'), hexBlock(text)])),
  };
}

function hexBlock(text: string): Buffer {
  const body = Buffer.from(text);
  return Buffer.concat([Buffer.from(body.length.toString(16).padStart(4, '0')), body]);
}

/** The list in which the pinned device is attached. */
export const PIXEL_LINE =
  'PIXEL                  device usb:1-4 product:husky model:Pixel_8 device:husky transport_id:7\n';

/**
 * A script for one device: host services are answered as given, the
 * transport is granted, and `service` plays the device's side of what is
 * asked of it. It ends the connection when it returns, unless it waits.
 */
export function deviceScript(
  service: (peer: Peer, request: string) => Promise<void> | void,
  host: Record<string, string> = {},
): Script {
  const answers: Record<string, string> = {
    'host:version': '0029',
    'host:devices-l': PIXEL_LINE,
    'host-transport-id:7:features': 'shell_v2,cmd,stat_v2,ls_v2,abb_exec',
    ...host,
  };
  return async (peer) => {
    const request = await peer.readRequest();
    const answer = answers[request];
    if (answer !== undefined) {
      peer.okay();
      peer.block(answer);
      peer.socket.end();
      return;
    }
    if (request !== 'host:transport-id:7') {
      peer.fail(`unexpected request ${request}`);
      peer.socket.end();
      return;
    }
    peer.okay();
    await service(peer, await peer.readRequest());
    peer.socket.end();
  };
}

/** A sync frame: four letters, a u32le, data. */
export function frame(id: string, value: number, data: string | Buffer = ''): Buffer {
  const header = Buffer.alloc(8);
  header.write(id, 'latin1');
  header.writeUInt32LE(value, 4);
  return Buffer.concat([header, Buffer.from(data)]);
}

/** A packet of the shell protocol. */
export function packet(kind: number, data: string | Buffer, length = Buffer.from(data).length): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(kind);
  header.writeUInt32LE(length, 1);
  return Buffer.concat([header, Buffer.from(data)]);
}

/** A loopback port at which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
