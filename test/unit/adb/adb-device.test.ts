import type { AdbDevice, CallOptions } from '../../../src/adb/adb-device';
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

const call: CallOptions = { signal: new AbortController().signal, stallTimeout: 5_000 };
const V1 = { 'host-transport-id:7:features': 'cmd' };

let server: FakeAdbServer;

afterEach(async () => {
  await server.stop();
});

async function device(
  service: (peer: Peer, request: string) => Promise<void> | void,
  host: Record<string, string> = {},
): Promise<AdbDevice> {
  server = await fakeAdbServer(deviceScript(service, host));
  const connected = await connectServer(server.address, call);
  return connected.open(parseDeviceList(PIXEL_LINE)[0]!, call);
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

/** Waits until the client has closed every connection; the test's own time limit is the bound. */
async function untilAllClosed(): Promise<void> {
  while (server.open() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('open', () => {
  it('asks the server for the features, and keeps those that kh speaks', async () => {
    const { features, serial, transportId, devpath } = await device(() => undefined);
    expect([...features]).toEqual(['shell_v2', 'stat_v2']);
    expect({ serial, transportId, devpath }).toEqual({
      serial: 'PIXEL',
      transportId: '7',
      devpath: 'usb:1-4',
    });
  });

  it.each([
    ['offline', 'DEVICE_OFFLINE'],
    ['unauthorized', 'DEVICE_UNAUTHORIZED'],
    ['bootloader', 'DEVICE_WRONG_STATE'],
    ['no permissions', 'DEVICE_NO_PERMISSIONS'],
  ])('refuses a device that is %s with %s, unasked', async (state, code) => {
    server = await fakeAdbServer(deviceScript(() => undefined));
    const connected = await connectServer(server.address, call);
    const before = server.total();
    await expect(connected.open({ serial: 'PIXEL', state }, call)).rejects.toMatchObject({
      code,
      serial: 'PIXEL',
    });
    expect(server.total()).toBe(before);
  });

  it('addresses a device by serial where the server has no transport ids', async () => {
    const requests: string[] = [];
    server = await fakeAdbServer(async (peer) => {
      const request = await peer.readRequest();
      requests.push(request);
      peer.okay();
      if (request === 'host-serial:PIXEL:features') peer.block('');
      else if (request === 'host:version') peer.block('0028');
      else {
        requests.push(await peer.readRequest());
        peer.okay('gone\n');
      }
      peer.socket.end();
    });
    const connected = await connectServer(server.address, call);
    const old = await connected.open({ serial: 'PIXEL', state: 'device' }, call);
    expect(await collect(old.stream('echo gone', call))).toBe('gone\n');
    expect(requests).toEqual([
      'host:version',
      'host-serial:PIXEL:features',
      'host:transport:PIXEL',
      'exec:echo gone',
    ]);
  });
});

describe('run with shell_v2', () => {
  it('gives exit code, stdout and stderr apart, however the packets are cut', async () => {
    const pixel = await device(async (peer, request) => {
      expect(request).toBe('shell,v2,raw:ls /nope');
      peer.okay();
      const bytes = Buffer.concat([
        packet(1, 'out'),
        packet(2, 'err'),
        packet(1, ''),
        packet(1, 'put'),
        packet(3, '\x07'),
      ]);
      for (const byte of bytes) {
        peer.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    expect(await pixel.run('ls /nope', call)).toEqual({
      exitCode: 7,
      stdout: Buffer.from('output'),
      stderr: Buffer.from('err'),
      merged: false,
    });
  });

  it('closes the command’s stdin', async () => {
    let sent: Buffer | undefined;
    const pixel = await device(async (peer) => {
      peer.okay();
      sent = await peer.read(5);
      peer.write(packet(3, '\0'));
    });
    await pixel.run('cat', call);
    expect(sent).toEqual(packet(4, ''));
  });

  it('reports a lost device when the stream ends without an exit code', async () => {
    const pixel = await device((peer) => {
      peer.okay();
      peer.write(packet(1, 'half'));
    });
    await expect(pixel.run('ls', call)).rejects.toMatchObject({
      code: 'DEVICE_LOST',
      serial: 'PIXEL',
      message: expect.stringContaining('shell,v2,raw:ls') as string,
    });
  });

  it.each([
    ['a length beyond any packet', packet(1, '', 0xffffffff)],
    ['a kind that is none', packet(9, 'x')],
    ['an exit code without a byte', packet(3, '')],
  ])('refuses %s', async (_, bytes) => {
    const pixel = await device((peer) => {
      peer.okay();
      peer.write(bytes);
    });
    await expect(pixel.run('ls', call)).rejects.toMatchObject({ code: 'ADB_PROTOCOL', serial: 'PIXEL' });
  });

  it('stops a command that prints without end', async () => {
    const pixel = await device(async (peer) => {
      peer.okay();
      const much = packet(1, Buffer.alloc(2 ** 20));
      while (!peer.socket.destroyed && peer.socket.writable) {
        await new Promise((resolve) => peer.socket.write(much, resolve));
      }
    });
    await expect(pixel.run('yes', call)).rejects.toMatchObject({
      code: 'REMOTE_COMMAND_FAILED',
      details: { limitBytes: 64 * 2 ** 20 },
    });
    await untilAllClosed();
    expect(server.open()).toBe(0);
  });
});

describe('run without shell_v2', () => {
  /** Answers as a shell would that ran the outer command line: `lineEnd` is what a terminal makes of \n. */
  const shell =
    (output: string, exitCode: number, lineEnd = '\n') =>
    (peer: Peer, request: string) => {
      const mark = /echo "(@[0-9a-f]+:)\$\?"$/.exec(request)?.[1];
      peer.okay(`${output}\n${mark}${exitCode}\n`.replace('\n\0', '').replaceAll('\n', lineEnd));
    };

  it('finds the exit code behind the output, and says that the outputs are one', async () => {
    const pixel = await device(shell('a\nb', 3), V1);
    expect(await pixel.run('x', call)).toEqual({
      exitCode: 3,
      stdout: Buffer.from('a\nb\n'),
      stderr: Buffer.alloc(0),
      merged: true,
    });
  });

  it.each(['\r\n', '\r\r\n'])('takes back the line ends %j of a terminal', async (lineEnd) => {
    const pixel = await device(shell('a\nb', 0, lineEnd), V1);
    expect((await pixel.run('x', call)).stdout.toString()).toBe('a\nb\n');
  });

  it('keeps a CR LF that the command itself printed', async () => {
    const pixel = await device(shell('a\r\nb', 0), V1);
    expect((await pixel.run('x', call)).stdout.toString()).toBe('a\r\nb\n');
  });

  it('hands the command line over as one quoted word', async () => {
    let asked = '';
    const pixel = await device((peer, request) => {
      asked = request;
      shell('', 0)(peer, request);
    }, V1);
    await pixel.run(`echo 'a b'; exit 3`, call);
    expect(asked).toMatch(
      /^shell:sh -c 'echo '\\''a b'\\''; exit 3' <\/dev\/null; echo "@[0-9a-f]{16}:\$\?"$/,
    );
  });

  it.each([
    ['nothing follows the output', 'half an out'],
    ['the output only looks like an end', 'x@0123456789abcdef:0\n'],
  ])('reports a lost device when %s', async (_, output) => {
    const pixel = await device((peer) => peer.okay(output), V1);
    await expect(pixel.run('ls', call)).rejects.toMatchObject({ code: 'DEVICE_LOST', serial: 'PIXEL' });
  });
});

describe('stream', () => {
  it('gives the raw bytes of a command until it ends', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const pixel = await device((peer, request) => {
      expect(request).toBe('exec:cat /x');
      peer.okay(bytes);
    });
    const chunks: Buffer[] = [];
    for await (const chunk of pixel.stream('cat /x', call)) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(bytes);
  });
});

describe('stat', () => {
  /** A STA2 answer after its id. */
  const sta2 = (errno: number, mode: number, size: bigint) => {
    const body = Buffer.alloc(72);
    body.write('STA2');
    body.writeUInt32LE(errno, 4);
    body.writeUInt32LE(mode, 24);
    body.writeBigUInt64LE(size, 40);
    return body;
  };
  const answering = (body: Buffer, id: string) => async (peer: Peer, request: string) => {
    expect(request).toBe('sync:');
    peer.okay();
    expect(await peer.read(10)).toEqual(frame(id, 2, '/x'));
    peer.write(body);
  };

  it('tells kind, mode and a size beyond 4 GiB', async () => {
    const pixel = await device(answering(sta2(0, 0o100644, 5_000_000_000n), 'STA2'));
    expect(await pixel.stat('/x', call)).toEqual({ kind: 'file', mode: 0o644, size: 5_000_000_000 });
  });

  it.each([
    [2, 'REMOTE_NOT_FOUND'],
    [20, 'REMOTE_NOT_FOUND'],
    [13, 'REMOTE_DENIED'],
    [1, 'REMOTE_DENIED'],
    [5, 'REMOTE_IO'],
  ])('tells errno %i apart as %s', async (errno, code) => {
    const pixel = await device(answering(sta2(errno, 0, 0n), 'STA2'));
    await expect(pixel.stat('/x', call)).rejects.toMatchObject({
      code,
      serial: 'PIXEL',
      message: expect.stringContaining('PIXEL: /x: ') as string,
      details: { path: '/x', errno },
    });
  });

  it('asks in the old way where the device lacks stat_v2, and says that a failure is not certain', async () => {
    const zeros = frame('STAT', 0, Buffer.alloc(8));
    const pixel = await device(answering(zeros, 'STAT'), V1);
    await expect(pixel.stat('/x', call)).rejects.toMatchObject({
      code: 'REMOTE_NOT_FOUND',
      details: { certain: false },
    });
  });

  it('reads the old answer', async () => {
    const body = frame('STAT', 0o120777, Buffer.from([7, 0, 0, 0, 0, 0, 0, 0]));
    const pixel = await device(answering(body, 'STAT'), V1);
    expect(await pixel.stat('/x', call)).toEqual({ kind: 'link', mode: 0o777, size: 7 });
  });

  it('refuses a path that adbd would hang up on, before asking', async () => {
    let sent = 'nothing';
    const pixel = await device(async (peer) => {
      peer.okay();
      sent = await peer.read(1).then(String, () => 'nothing');
    });
    await expect(pixel.stat(`/${'x'.repeat(1024)}`, call)).rejects.toMatchObject({ code: 'ADB_PROTOCOL' });
    expect(sent).toBe('nothing');
  });
});

describe('receive', () => {
  const serving =
    (...frames: Buffer[]) =>
    async (peer: Peer) => {
      peer.okay();
      await peer.read(10);
      for (const bytes of frames) peer.write(bytes);
    };

  it('gives the file chunk by chunk, and says goodbye', async () => {
    let goodbye: Buffer | undefined;
    const pixel = await device(async (peer) => {
      await serving(
        frame('DATA', 3, 'abc'),
        frame('DATA', 0),
        frame('DATA', 2, 'de'),
        frame('DONE', 0),
      )(peer);
      goodbye = await peer.read(8);
    });
    expect(await collect(pixel.receive('/x', call))).toBe('abcde');
    await untilAllClosed();
    expect(goodbye).toEqual(frame('QUIT', 0));
  });

  it.each([
    ['open failed: Permission denied', 'REMOTE_DENIED'],
    ['open failed: Operation not permitted', 'REMOTE_DENIED'],
    ['open failed: No such file or directory', 'REMOTE_NOT_FOUND'],
    ['read failed: No such device', 'REMOTE_IO'],
    ['read failed: I/O error', 'REMOTE_IO'],
    ['', 'REMOTE_IO'],
  ])('turns the refusal "%s" into %s, and never into an empty file', async (text, code) => {
    const pixel = await device(serving(frame('FAIL', text.length, text)));
    const chunks: Buffer[] = [];
    const reading = (async () => {
      for await (const chunk of pixel.receive('/x', call)) chunks.push(chunk);
    })();
    await expect(reading).rejects.toMatchObject({ code, serial: 'PIXEL', details: { path: '/x' } });
    expect(chunks).toEqual([]);
  });

  it('fails after data has flowed too, so that a short file is not a whole one', async () => {
    const text = 'read failed: Permission denied';
    const pixel = await device(serving(frame('DATA', 3, 'abc'), frame('FAIL', text.length, text)));
    await expect(collect(pixel.receive('/x', call))).rejects.toMatchObject({ code: 'REMOTE_DENIED' });
  });

  it.each([
    ['between chunks', [frame('DATA', 3, 'abc')]],
    ['within a chunk', [frame('DATA', 30, 'abc')]],
    ['within a header', [Buffer.from('DAT')]],
    ['at once', []],
  ])('reports a lost device when the connection ends %s', async (_, frames) => {
    const pixel = await device(serving(...frames));
    await expect(collect(pixel.receive('/x', call))).rejects.toMatchObject({
      code: 'DEVICE_LOST',
      serial: 'PIXEL',
    });
  });

  it.each([
    ['a chunk over 64 KiB', frame('DATA', 65_537)],
    ['an unknown frame', frame('EVIL', 0)],
    ['a boundless failure text', frame('FAIL', 0x7fffffff)],
  ])('refuses %s', async (_, bytes) => {
    const pixel = await device(serving(bytes));
    await expect(collect(pixel.receive('/x', call))).rejects.toMatchObject({ code: 'ADB_PROTOCOL' });
  });

  it('shows a device’s text with its control characters made visible', async () => {
    const pixel = await device(serving(frame('FAIL', 5, '\x1b[31m')));
    await expect(collect(pixel.receive('/x', call))).rejects.toMatchObject({
      message: 'PIXEL: /x: \\x1b[31m',
    });
  });
});

describe('send', () => {
  const receiving = (answer: Buffer, got: Buffer[]) => async (peer: Peer) => {
    peer.okay();
    const request = await peer.read(8);
    got.push(request, await peer.read(request.readUInt32LE(4)));
    for (;;) {
      const header = await peer.read(8);
      if (header.toString('latin1', 0, 4) === 'DONE') break;
      got.push(header, await peer.read(header.readUInt32LE(4)));
    }
    peer.write(answer);
    await peer.read(8);
  };

  it('writes mode and bytes, in chunks that adbd takes', async () => {
    const got: Buffer[] = [];
    const pixel = await device(receiving(frame('OKAY', 0), got));
    await pixel.send('/x', 0o644, [Buffer.alloc(70_000, 'a'), Buffer.from('end')], call);
    expect(Buffer.concat(got)).toEqual(
      Buffer.concat([
        frame('SEND', 8, '/x,33188'),
        frame('DATA', 65_536, Buffer.alloc(65_536, 'a')),
        frame('DATA', 4_464, Buffer.alloc(4_464, 'a')),
        frame('DATA', 3, 'end'),
      ]),
    );
  });

  it('fails where the device could not write, though it took all bytes', async () => {
    const text = "couldn't create file: Permission denied";
    const pixel = await device(receiving(frame('FAIL', text.length, text), []));
    await expect(pixel.send('/x', 0o644, [Buffer.from('x')], call)).rejects.toMatchObject({
      code: 'REMOTE_DENIED',
      serial: 'PIXEL',
    });
  });

  it('passes on what its source throws, and lets go of the connection', async () => {
    const pixel = await device(receiving(frame('OKAY', 0), []));
    const broken = (async function* () {
      yield Buffer.from('x');
      throw new Error('disk gone');
    })();
    await expect(pixel.send('/x', 0o644, broken, call)).rejects.toThrow('disk gone');
    await untilAllClosed();
    expect(server.open()).toBe(0);
  });
});

describe('restartAsRoot', () => {
  it.each([
    ['adbd is already running as root\n', 'already-root'],
    ['restarting adbd as root\n', 'restarting'],
    ['', 'restarting'],
    ['adbd cannot run as root in production builds\n', 'refused'],
    ['ADB Root access is disabled by system setting - enable in Settings\n', 'refused'],
  ])('reads %j as %s', async (text, reply) => {
    const pixel = await device((peer, request) => {
      expect(request).toBe('root:');
      peer.okay(text);
    });
    expect(await pixel.restartAsRoot(call)).toBe(reply);
  });
});

describe('a device that is gone', () => {
  it.each([
    ["no device with transport id '7'", 'DEVICE_LOST'],
    ["device 'PIXEL' not found", 'DEVICE_LOST'],
    ['no devices/emulators found', 'DEVICE_LOST'],
    ['more than one device/emulator', 'DEVICE_AMBIGUOUS'],
    ['device offline', 'DEVICE_OFFLINE'],
    ['device still connecting', 'DEVICE_OFFLINE'],
    ['device still authorizing', 'DEVICE_UNAUTHORIZED'],
    ["device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set", 'DEVICE_UNAUTHORIZED'],
    ['insufficient permissions for device', 'DEVICE_NO_PERMISSIONS'],
    ['the moon is in the wrong phase', 'ADB_PROTOCOL'],
  ])('turns the refusal "%s" into %s', async (text, code) => {
    let attached = true;
    server = await fakeAdbServer(async (peer, index) => {
      if (attached) return deviceScript(() => undefined)(peer, index);
      await peer.readRequest();
      peer.fail(text);
    });
    const connected = await connectServer(server.address, call);
    const pixel = await connected.open(parseDeviceList(PIXEL_LINE)[0]!, call);
    attached = false;
    const error = { code, serial: 'PIXEL', message: expect.stringMatching(/^PIXEL: /) as string };
    await expect(pixel.run('ls', call)).rejects.toMatchObject(error);
    await expect(collect(pixel.receive('/x', call))).rejects.toMatchObject(error);
    await untilAllClosed();
    expect(server.open()).toBe(0);
  });

  it('blames the server when that is what went', async () => {
    const pixel = await device(async (peer) => {
      peer.okay();
      peer.write(packet(1, 'half'));
      await peer.read(5);
      const stopped = server.stop();
      server = await fakeAdbServer(() => undefined);
      await stopped;
    });
    await expect(pixel.run('ls', call)).rejects.toMatchObject({ code: 'ADB_UNAVAILABLE', serial: 'PIXEL' });
  });

  it('tells a service that the device refuses from a device that is gone', async () => {
    const script = (list: string) => deviceScript((peer) => peer.fail('closed'), { 'host:devices-l': list });
    server = await fakeAdbServer(script(PIXEL_LINE));
    const here = await (
      await connectServer(server.address, call)
    ).open(parseDeviceList(PIXEL_LINE)[0]!, call);
    await expect(here.run('ls', call)).rejects.toMatchObject({ code: 'ADB_PROTOCOL' });
    await server.stop();

    server = await fakeAdbServer(script(PIXEL_LINE.replace('transport_id:7', 'transport_id:8')));
    const gone = await (
      await connectServer(server.address, call)
    ).open(parseDeviceList(PIXEL_LINE)[0]!, call);
    await expect(gone.run('ls', call)).rejects.toMatchObject({ code: 'DEVICE_LOST' });
  });
});

describe('untilDisconnected', () => {
  const waiting = (script: (peer: Peer) => Promise<void> | void) => async (peer: Peer, index: number) => {
    if (index < 2) return deviceScript(() => undefined)(peer, index);
    expect(await peer.readRequest()).toBe('host-transport-id:7:wait-for-any-disconnect');
    return script(peer);
  };
  const opened = async (script: (peer: Peer) => Promise<void> | void): Promise<AdbDevice> => {
    server = await fakeAdbServer(waiting(script));
    return (await connectServer(server.address, call)).open(parseDeviceList(PIXEL_LINE)[0]!, call);
  };

  it('settles when the server says that the transport is gone', async () => {
    const pixel = await opened((peer) => {
      peer.okay();
      setTimeout(() => peer.okay(), 20);
    });
    await expect(pixel.untilDisconnected(call.signal)).resolves.toBeUndefined();
  });

  it('rejects with the signal’s reason, and lets go of the connection', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const pixel = await opened((peer) => {
      peer.okay();
      setTimeout(() => controller.abort(reason), 20);
    });
    await expect(pixel.untilDisconnected(controller.signal)).rejects.toBe(reason);
    await untilAllClosed();
    expect(server.open()).toBe(0);
  });

  it('does not take the end of the server for the end of the device', async () => {
    const pixel = await opened((peer) => {
      peer.okay();
      peer.socket.end();
    });
    await expect(pixel.untilDisconnected(call.signal)).rejects.toMatchObject({ code: 'ADB_UNAVAILABLE' });
  });
});
