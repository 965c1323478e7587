import { withDeadline } from '../../../src/core/abort';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AdbDevice } from '../../../src/adb/adb-device';
import { connectServer } from '../../../src/adb/connect-server';
import { parseDeviceList } from '../../../src/adb/device-list';
import {
  deviceScript,
  fakeAdbServer,
  frame,
  packet,
  PIXEL_LINE,
  type FakeAdbServer,
  type Peer,
} from './support/fake-adb-server';

const signal = new AbortController().signal;

let server: FakeAdbServer;

afterEach(async () => {
  await server.stop();
});

async function device(service: (peer: Peer, request: string) => Promise<void> | void): Promise<AdbDevice> {
  server = await fakeAdbServer(deviceScript(service));
  const connected = await connectServer(server.address, { signal });
  return connected.open(parseDeviceList(PIXEL_LINE)[0]!, { signal });
}

async function drain(chunks: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.length;
  return bytes;
}

/** The test's own time limit is the bound. */
async function untilAllClosed(): Promise<void> {
  while (server.open() > 0) await sleep(5);
}

const silent = async (peer: Peer) => {
  peer.okay();
  await peer.closed;
};

describe('the stall clock', () => {
  it.each([
    ['run', (pixel: AdbDevice) => pixel.run('x', { signal, stallTimeout: 50 })],
    ['stream', (pixel: AdbDevice) => drain(pixel.stream('x', { signal, stallTimeout: 50 }))],
    ['stat', (pixel: AdbDevice) => pixel.stat('/x', { signal, stallTimeout: 50 })],
    ['receive', (pixel: AdbDevice) => drain(pixel.receive('/x', { signal, stallTimeout: 50 }))],
    ['restartAsRoot', (pixel: AdbDevice) => pixel.restartAsRoot({ signal, stallTimeout: 50 })],
  ])('ends a %s on a device that stays silent, and lets go of the connection', async (_, work) => {
    const pixel = await device(silent);
    await expect(work(pixel)).rejects.toMatchObject({
      code: 'TIMEOUT',
      serial: 'PIXEL',
      message: expect.stringMatching(/^PIXEL: timed out after 0\.05 s/) as string,
    });
    await untilAllClosed();
    expect(server.open()).toBe(0);
  });

  it('covers the wait for the transport itself', async () => {
    const pixel = await device((peer) => peer.closed.then(() => undefined));
    await expect(pixel.run('x', { signal, stallTimeout: 50 })).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  it('starts anew with each byte', async () => {
    const pixel = await device(async (peer) => {
      peer.okay();
      for (const byte of packet(3, '\x05')) {
        await sleep(100);
        peer.write(Buffer.of(byte));
      }
    });
    expect((await pixel.run('x', { signal, stallTimeout: 400 })).exitCode).toBe(5);
  });

  it('does not count the time that the consumer takes', async () => {
    const pixel = await device(async (peer) => {
      peer.okay();
      await peer.read(10);
      peer.write(Buffer.concat([frame('DATA', 1, 'a'), frame('DATA', 1, 'b'), frame('DONE', 0)]));
    });
    let bytes = 0;
    for await (const chunk of pixel.receive('/x', { signal, stallTimeout: 100 })) {
      bytes += chunk.length;
      await sleep(200);
    }
    expect(bytes).toBe(2);
  });
});

describe('the clock of the whole call', () => {
  it('ends a call that goes on and on', async () => {
    const pixel = await device(async (peer) => {
      peer.okay();
      while (peer.socket.writable && !peer.socket.destroyed) {
        peer.write(packet(1, '.'));
        await Promise.race([sleep(10), peer.closed]);
        if (server.open() === 0) return;
      }
    });
    await expect(pixel.run('x', { signal, timeout: 150, stallTimeout: 5_000 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      serial: 'PIXEL',
    });
    await untilAllClosed();
    expect(server.open()).toBe(0);
  });
});

describe('the signal', () => {
  it.each([
    ['run', (pixel: AdbDevice, on: AbortSignal) => pixel.run('x', { signal: on })],
    ['stream', (pixel: AdbDevice, on: AbortSignal) => drain(pixel.stream('x', { signal: on }))],
    ['stat', (pixel: AdbDevice, on: AbortSignal) => pixel.stat('/x', { signal: on })],
    ['receive', (pixel: AdbDevice, on: AbortSignal) => drain(pixel.receive('/x', { signal: on }))],
  ])('ends a %s with its reason, and destroys the connection', async (_, work) => {
    const controller = new AbortController();
    const reason = { not: 'an error, even' };
    const pixel = await device(async (peer) => {
      peer.okay();
      setTimeout(() => controller.abort(reason), 20);
      await peer.closed;
    });
    await expect(work(pixel, controller.signal)).rejects.toBe(reason);
    await untilAllClosed();
    expect(server.open()).toBe(0);
  });

  it('has what went on added, where it fired as the time for the device was up', async () => {
    const pixel = await device(async (peer) => {
      peer.okay();
      await peer.closed;
    });
    const late = withDeadline((on) => pixel.run('x', { signal: on, purpose: 'asking for its md5' }), {
      signal,
      milliseconds: 20,
      what: 'on this device',
    });
    await expect(late).rejects.toMatchObject({
      code: 'TIMEOUT',
      reason: 'timed out after 0.02 s on this device, while asking for its md5',
    });
  });

  it('opens no connection when it has fired already', async () => {
    const pixel = await device(silent);
    const before = server.total();
    await expect(pixel.run('x', { signal: AbortSignal.abort('late') })).rejects.toBe('late');
    expect(server.total()).toBe(before);
  });

  it('ends a transfer between two chunks', async () => {
    const controller = new AbortController();
    const pixel = await device(async (peer) => {
      peer.okay();
      await peer.read(10);
      peer.write(Buffer.concat([frame('DATA', 1, 'a'), frame('DATA', 1, 'b')]));
      await peer.closed;
    });
    const chunks = pixel.receive('/x', { signal: controller.signal });
    expect((await chunks.next()).value).toEqual(Buffer.from('a'));
    controller.abort('enough');
    await expect(chunks.next()).rejects.toBe('enough');
  });
});

describe('back pressure', () => {
  it.each(['receive', 'stream'] as const)(
    'reaches the server when the consumer of %s is slow',
    async (how) => {
      const CHUNK = 64 * 1024;
      const CHUNKS = 1024;
      let sent = 0;
      const pixel = await device(async (peer) => {
        peer.okay();
        if (how === 'receive') await peer.read(10);
        const data = how === 'receive' ? frame('DATA', CHUNK, Buffer.alloc(CHUNK)) : Buffer.alloc(CHUNK);
        for (; sent < CHUNKS; sent += 1) {
          await new Promise((resolve) => peer.socket.write(data, resolve));
        }
        if (how === 'receive') peer.write(frame('DONE', 0));
      });
      const chunks = pixel[how]('/x', { signal });
      let bytes = (await chunks.next()).value?.length ?? 0;
      let before = -1;
      while (sent !== before) {
        before = sent;
        await sleep(100);
      }
      // What the kernel's own socket buffers hold is a few MiB; the rest of the 64 MiB must wait.
      expect(sent).toBeLessThan(CHUNKS / 2);
      bytes += await drain(chunks);
      expect(bytes).toBe(CHUNK * CHUNKS);
    },
  );
});

describe('connections', () => {
  it('are all closed after calls that went well, failed, and were given up', async () => {
    const text = 'open failed: Permission denied';
    const pixel = await device(async (peer, request) => {
      if (request === 'exec:refuse') {
        peer.fail('closed');
        return;
      }
      peer.okay();
      if (request.startsWith('shell')) {
        peer.write(packet(3, '\0'));
        return;
      }
      if (request === 'exec:some') {
        peer.write('some');
        return peer.closed.then(() => undefined);
      }
      const path = (await peer.read(10)).toString('latin1', 8);
      if (path === '/n') peer.write(frame('FAIL', text.length, text));
      else peer.write(Buffer.concat([frame('DATA', 1, 'a'), frame('DONE', 0)]));
      // As servers before 28.0.1 do, leave it to the client to close.
      await peer.closed;
    });
    for (let round = 0; round < 5; round += 1) {
      await pixel.run('x', { signal });
      expect(await drain(pixel.receive('/y', { signal }))).toBe(1);
      await expect(drain(pixel.receive('/n', { signal }))).rejects.toMatchObject({ code: 'REMOTE_DENIED' });
      await expect(drain(pixel.stream('refuse', { signal }))).rejects.toMatchObject({ code: 'ADB_PROTOCOL' });
      for await (const chunk of pixel.stream('some', { signal })) {
        expect(chunk.toString()).toBe('some');
        break;
      }
    }
    await untilAllClosed();
    expect(server.open()).toBe(0);
    expect(server.total()).toBeGreaterThan(25);
  });

  it('that are reset mid-way are a lost device, not a crash', async () => {
    const pixel = await device(async (peer) => {
      peer.okay();
      await peer.read(5);
      peer.socket.resetAndDestroy();
    });
    await expect(pixel.run('x', { signal })).rejects.toMatchObject({ code: 'DEVICE_LOST', serial: 'PIXEL' });
  });
});
