import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectServer } from '../../../src/adb/connect-server';
import type { AdbServerAddress } from '../../../src/adb/server-address';
import {
  deviceScript,
  fakeAdbServer,
  freePort,
  PIXEL_LINE,
  type FakeAdbServer,
} from './support/fake-adb-server';

const signal = new AbortController().signal;

describe('connectServer', () => {
  let server: FakeAdbServer | undefined;
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kh-adb-'));
  });

  afterEach(async () => {
    await server?.stop();
    server = undefined;
    await rm(folder, { recursive: true });
  });

  /** A program that stands in for adb; `body` is a shell script. */
  async function fakeAdb(body: string): Promise<string> {
    const path = join(folder, 'adb');
    await writeFile(path, `#!/bin/sh\n${body}\n`);
    await chmod(path, 0o755);
    return path;
  }

  it('learns the protocol version', async () => {
    server = await fakeAdbServer(deviceScript(() => undefined));
    const connected = await connectServer(server.address, { signal });
    expect(connected).toMatchObject({ version: 41, address: server.address });
  });

  it('lists the devices', async () => {
    server = await fakeAdbServer(deviceScript(() => undefined));
    const connected = await connectServer(server.address, { signal });
    const list = await connected.listDevices({ signal });
    expect(list).toEqual([expect.objectContaining({ serial: 'PIXEL', transportId: '7' })]);
  });

  it('speaks to a server on a socket file', async () => {
    const path = join(folder, 'socket');
    const listening = createServer((socket) => socket.end('OKAY00040029')).listen(path);
    await once(listening, 'listening');
    const connected = await connectServer({ kind: 'local', path }, { signal });
    expect(connected.version).toBe(41);
    listening.close();
  });

  it.each(['127.0.0.1', '::1'])('finds a server on localhost that listens on %s', async (host) => {
    const listening = createServer((socket) => socket.end('OKAY00040029')).listen(0, host);
    await once(listening, 'listening');
    const { port } = listening.address() as { port: number };
    const connected = await connectServer({ kind: 'tcp', host: 'localhost', port }, { signal });
    expect(connected.version).toBe(41);
    listening.close();
  });

  it('starts a server where none runs, on the port that was asked for, whatever the environment says', async () => {
    const port = await freePort();
    const record = join(folder, 'record');
    const adbPath = await fakeAdb(
      `echo "$@" "[$ADB_SERVER_SOCKET$ANDROID_ADB_SERVER_ADDRESS]" > ${record}; echo nope >&2; exit 1`,
    );
    process.env['ANDROID_ADB_SERVER_ADDRESS'] = 'far.example';
    try {
      await expect(
        connectServer({ kind: 'tcp', host: 'localhost', port }, { signal, adbPath }),
      ).rejects.toMatchObject({
        code: 'ADB_UNAVAILABLE',
        message: expect.stringContaining('nope') as string,
      });
    } finally {
      delete process.env['ANDROID_ADB_SERVER_ADDRESS'];
    }
    expect(await readFile(record, 'utf8')).toBe(`-P ${port} start-server []\n`);
  });

  it('goes on with the server that it started, though that holds on to its output', async () => {
    const port = await freePort();
    const script = `require('net').createServer((s)=>s.end('OKAY00040029')).listen(${port},'127.0.0.1',()=>require('fs').writeFileSync('${folder}/up',''));setTimeout(()=>process.exit(),1500)`;
    const adbPath = await fakeAdb(
      `${process.execPath} -e "${script}" &\nwhile [ ! -e ${folder}/up ]; do sleep 0.05; done`,
    );
    const connected = await connectServer({ kind: 'tcp', host: '127.0.0.1', port }, { signal, adbPath });
    expect(connected.version).toBe(41);
  });

  it('says that adb is missing when there is none to start a server with', async () => {
    const address: AdbServerAddress = { kind: 'tcp', host: '127.0.0.1', port: await freePort() };
    const connecting = connectServer(address, { signal, adbPath: join(folder, 'none') });
    await expect(connecting).rejects.toMatchObject({
      code: 'ADB_MISSING',
      exitCode: 69,
      hint: expect.stringContaining('platform-tools') as string,
    });
  });

  it('says of a host whose name is not known that it is the name', async () => {
    const address: AdbServerAddress = { kind: 'tcp', host: 'no such host', port: 5037 };
    await expect(connectServer(address, { signal })).rejects.toMatchObject({
      code: 'ADB_UNAVAILABLE',
      message: 'no adb server at no such host:5037: the name of that host is not known here',
      hint: expect.stringContaining('-H') as string,
    });
  });

  it('never starts a server for another host', async () => {
    const record = join(folder, 'record');
    const adbPath = await fakeAdb(`touch ${record}`);
    const address: AdbServerAddress = { kind: 'tcp', host: '0.0.0.0', port: await freePort() };
    await expect(connectServer(address, { signal, adbPath })).rejects.toMatchObject({
      code: 'ADB_UNAVAILABLE',
      details: { errno: 'ECONNREFUSED' },
    });
    await expect(readFile(record)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('gives up an adb that does not come to an end when the signal fires', async () => {
    const address: AdbServerAddress = { kind: 'tcp', host: '127.0.0.1', port: await freePort() };
    const adbPath = await fakeAdb('exec sleep 60');
    const controller = new AbortController();
    setTimeout(() => controller.abort('enough'), 100);
    await expect(connectServer(address, { signal: controller.signal, adbPath })).rejects.toBe('enough');
  });

  it('gives up a gateway that accepts and stays silent', async () => {
    server = await fakeAdbServer(() => undefined);
    await expect(connectServer(server.address, { signal, connectTimeout: 50 })).rejects.toMatchObject({
      code: 'ADB_UNAVAILABLE',
      message: expect.stringContaining('within 0.05 s') as string,
    });
  });

  it.each([
    ['HTTP/1.1 400 Bad Request\r\n\r\n', 'ADB_PROTOCOL'],
    ['OKAY0004zzzz', 'ADB_PROTOCOL'],
    ['OKAYzzzz', 'ADB_PROTOCOL'],
    ['OKAY00', 'ADB_UNAVAILABLE'],
    ['', 'ADB_UNAVAILABLE'],
  ])('does not take the answer %j for an adb server: %s', async (text, code) => {
    server = await fakeAdbServer((peer) => void peer.socket.end(text));
    await expect(connectServer(server.address, { signal })).rejects.toMatchObject({ code });
  });
});

describe('trackDevices', () => {
  const hex = (text: string) => text.length.toString(16).padStart(4, '0') + text;
  const OFFLINE = PIXEL_LINE.replace('device', 'offline');
  let server: FakeAdbServer;

  afterEach(async () => {
    await server.stop();
  });

  it('gives each change of the list, and ends quietly when the signal fires', async () => {
    server = await fakeAdbServer(async (peer, index) => {
      if (index === 0) return deviceScript(() => undefined)(peer, index);
      expect(await peer.readRequest()).toBe('host:track-devices-l');
      peer.okay(hex(OFFLINE));
      setTimeout(() => peer.write(hex(PIXEL_LINE)), 400);
      setTimeout(() => peer.write(hex('')), 800);
      await peer.closed;
    });
    const connected = await connectServer(server.address, { signal });
    const controller = new AbortController();
    const states: string[][] = [];
    // Longer than a stall: a lab in which nothing happens is no failure.
    for await (const list of connected.trackDevices({ signal: controller.signal, stallTimeout: 300 })) {
      states.push(list.map(({ state }) => state));
      if (list.length === 0) controller.abort();
    }
    expect(states).toEqual([['offline'], ['device'], []]);
    while (server.open() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(server.open()).toBe(0);
  });

  it('asks for the list itself where the server tracks without details', async () => {
    server = await fakeAdbServer(async (peer, index) => {
      if (index === 0 || index > 2) return deviceScript(() => undefined)(peer, index);
      const request = await peer.readRequest();
      if (request !== 'host:track-devices') {
        peer.fail('unknown host service');
        return;
      }
      peer.okay(hex('PIXEL\tdevice\n'));
      await peer.closed;
    });
    const connected = await connectServer(server.address, { signal });
    const changes = connected.trackDevices({ signal });
    const first = await changes.next();
    expect(first.value).toEqual([expect.objectContaining({ serial: 'PIXEL', model: 'Pixel_8' })]);
    await changes.return();
  });

  it('fails when the server goes', async () => {
    server = await fakeAdbServer(async (peer, index) => {
      if (index === 0) return deviceScript(() => undefined)(peer, index);
      await peer.readRequest();
      peer.okay(hex(PIXEL_LINE));
      peer.socket.end();
    });
    const connected = await connectServer(server.address, { signal });
    const changes = connected.trackDevices({ signal });
    await changes.next();
    await expect(changes.next()).rejects.toMatchObject({ code: 'ADB_UNAVAILABLE' });
  });
});
