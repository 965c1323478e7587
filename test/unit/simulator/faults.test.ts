import type { FaultDescription } from '../../../src/simulator/faults';
import { pixel, startLab } from '../../support/lab';
import {
  adbClient,
  ask,
  openService,
  parsePackets,
  receiveFile,
  shell,
  syncRequest,
  trackDevices,
} from './support/adb-client';

const PATH = '/sys/kernel/kheaders.tar.xz';
const ARCHIVE = Buffer.alloc(50_000, 'kheaders');

function labWith(...faults: FaultDescription[]) {
  return startLab({ devices: [pixel({ headers: { kind: 'built-in', archive: ARCHIVE }, faults })] });
}

async function receive(port: number) {
  const sync = await openService(port, 'PIXEL', 'sync:');
  sync.write(syncRequest('RECV', PATH));
  return sync;
}

async function silent(client: Awaited<ReturnType<typeof receive>>): Promise<boolean> {
  const more = client.read(1).then(
    () => false,
    () => false,
  );
  return Promise.race([more, new Promise<true>((resolve) => setTimeout(() => resolve(true), 60))]);
}

describe('faults on the wire', () => {
  it('close: sends so many bytes, and hangs up', async () => {
    const { port } = await labWith({ on: 'recv', kind: 'close', at: 10_000 });
    expect(await (await receive(port)).readAll()).toHaveLength(10_000);
  });

  it('hang: sends so many bytes, and is silent until the client leaves', async () => {
    const lab = await labWith({ on: 'recv', kind: 'hang', at: 10_000 });
    const sync = await receive(lab.port);
    await sync.read(10_000);
    expect(await silent(sync)).toBe(true);
    sync.close();
    while (lab.device('PIXEL').counters.socketsOpen > 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(lab.device('PIXEL').counters.recvCompleted).toBe(0);
  });

  it('dribble: sends all, in pieces of a byte', async () => {
    const { port } = await labWith({ on: 'recv', kind: 'dribble' });
    expect((await receiveFile(await receive(port))).content.equals(ARCHIVE)).toBe(true);
  });

  it('garbage: puts bytes between the frames that are none', async () => {
    const { port } = await labWith({ on: 'recv', kind: 'garbage', at: 4104 });
    const sync = await receive(port);
    await sync.read(4104);
    expect((await sync.read(64)).every((byte) => byte === 0xa5)).toBe(true);
    expect((await sync.read(4)).toString('latin1')).toBe('DATA');
    sync.close();
  });

  it('gone: takes the transport out of the list in the middle, and back after a while', async () => {
    const lab = await labWith({ on: 'recv', kind: 'gone', at: 10_000, forMs: 50, times: 1 });
    const nextList = await trackDevices(lab.port);
    expect(await nextList()).toBe('PIXEL\tdevice\n');
    expect(await (await receive(lab.port)).readAll()).toHaveLength(10_000);
    expect(await nextList()).toBe('');
    expect(await nextList()).toBe('PIXEL\tdevice\n');
    expect((await receiveFile(await receive(lab.port))).content.equals(ARCHIVE)).toBe(true);
  });

  it.each(['offline', 'unauthorized'] as const)('%s: the device changes its state', async (kind) => {
    const lab = await labWith({ on: 'connect', kind, forMs: 30, times: 1 });
    const nextList = await trackDevices(lab.port);
    expect(await nextList()).toBe('PIXEL\tdevice\n');
    const client = await adbClient(lab.port);
    client.send('host:transport:PIXEL');
    await client.readAll();
    expect(await nextList()).toBe(`PIXEL\t${kind}\n`);
    expect(await nextList()).toBe('PIXEL\tdevice\n');
    expect((await shell(lab.port, 'PIXEL', 'echo back')).stdout).toBe('back\n');
  });

  it('strikes a shell that prints less than the byte it waits for at its end', async () => {
    const { port } = await labWith({ on: 'shell', kind: 'close', at: 0 });
    const client = await openService(port, 'PIXEL', 'shell,v2,raw:true');
    expect(parsePackets(await client.readAll()).exitCode).toBeUndefined();
  });

  it('breaks a stream of packets inside one', async () => {
    const { port } = await labWith({ on: 'shell', kind: 'close', at: 7 });
    const client = await openService(port, 'PIXEL', 'shell,v2,raw:echo abcdef');
    expect((await client.readAll()).toString('latin1')).toBe('\x01\x07\0\0\0ab');
  });
});

describe('faults in the answer', () => {
  it('refuse: fails before anything is sent', async () => {
    const { port } = await labWith(
      { on: 'recv', kind: 'refuse', times: 1 },
      { on: 'shell', kind: 'refuse', times: 1 },
    );
    expect(await receiveFile(await receive(port))).toMatchObject({
      failure: 'open failed: Permission denied',
    });
    const client = await adbClient(port);
    client.send('host:transport:PIXEL');
    await client.read(4);
    client.send('shell:id');
    expect((await client.readAll()).toString()).toBe('FAIL0006closed');
    expect((await receiveFile(await receive(port))).content.equals(ARCHIVE)).toBe(true);
  });

  it('refuse on connect: says that the device is offline', async () => {
    const { port } = await labWith({ on: 'connect', kind: 'refuse' });
    expect(await ask(port, 'host:transport:PIXEL')).toBe('FAIL000edevice offline');
  });

  it('fail: sends FAIL after so many bytes of the file', async () => {
    const { port } = await labWith({ on: 'recv', kind: 'fail', at: 10_000 });
    const { content, failure } = await receiveFile(await receive(port));
    expect(content.equals(ARCHIVE.subarray(0, 10_000))).toBe(true);
    expect(failure).toBe('read failed: I/O error');
  });

  it('wrong-size: ends the file early, as if it were whole; or lies in stat', async () => {
    const { port } = await labWith(
      { on: 'recv', kind: 'wrong-size', at: 123 },
      { on: 'stat', kind: 'wrong-size' },
    );
    expect((await receiveFile(await receive(port))).content).toHaveLength(123);
    expect((await shell(port, 'PIXEL', `stat -c %s ${PATH}`)).stdout).toBe('50001\n');
  });

  it('corrupt: flips a bit in transit, while the file on the device is good', async () => {
    const { port } = await labWith({ on: 'recv', kind: 'corrupt', at: 777, times: 1 });
    const { content } = await receiveFile(await receive(port));
    const different = [...content.keys()].filter((index) => content[index] !== ARCHIVE[index]);
    expect(different).toEqual([777]);
    expect((await receiveFile(await receive(port))).content.equals(ARCHIVE)).toBe(true);
  });

  it('corrupt, wrong-size and fail on exec: in what the command prints', async () => {
    const { port } = await labWith(
      { on: 'exec', kind: 'corrupt', at: 1, times: 1 },
      { on: 'exec', kind: 'wrong-size', at: 2, times: 1 },
    );
    const print = async () =>
      (await (await openService(port, 'PIXEL', 'exec:echo abc')).readAll()).toString();
    expect([await print(), await print(), await print()]).toEqual(['acc\n', 'ab', 'abc\n']);
  });

  it('wrong-md5: prints another digest, and only that', async () => {
    const { port } = await labWith({ on: 'md5', kind: 'wrong-md5', match: 'kheaders', times: 1 });
    const sum = async () => (await shell(port, 'PIXEL', `md5sum ${PATH}`)).stdout;
    const [wrong, right] = [await sum(), await sum()];
    expect(wrong).toMatch(/^[0-9a-f]{32} {2}\/sys/);
    expect(wrong.slice(1)).toBe(right.slice(1));
    expect(wrong).not.toBe(right);
  });

  it('refuse and fail on stat: deny it, and fail with an I/O error', async () => {
    const { port } = await labWith(
      { on: 'stat', kind: 'refuse', times: 1 },
      { on: 'stat', kind: 'fail', times: 1 },
    );
    const stat = async () => (await shell(port, 'PIXEL', `stat -c %s ${PATH} 2>&1`)).stdout;
    expect(await stat()).toBe(`stat: '${PATH}': Permission denied\n`);
    expect(await stat()).toBe(`stat: '${PATH}': I/O error\n`);
    expect(await stat()).toBe('50000\n');
  });

  it('fail on root: refuses, as a user build does', async () => {
    const lab = await startLab({
      devices: [pixel({ adbRoot: 'allowed', faults: [{ on: 'root', kind: 'fail' }] })],
    });
    const root = await openService(lab.port, 'PIXEL', 'root:');
    expect((await root.readAll()).toString()).toBe('adbd cannot run as root in production builds\n');
  });

  it('strikes where the subject matches, after those that are skipped', async () => {
    const { port } = await labWith({ on: 'shell', kind: 'fail', match: 'second', skip: 1 });
    const run = async (word: string) => (await shell(port, 'PIXEL', `echo ${word}`)).exitCode;
    expect([await run('first'), await run('second'), await run('second'), await run('third')]).toEqual([
      0, 0, 1, 0,
    ]);
  });

  it('can be changed while the lab runs', async () => {
    const lab = await labWith();
    lab.device('PIXEL').addFault({ on: 'any', kind: 'fail' });
    expect(await ask(lab.port, 'host:transport:PIXEL')).toMatch(/^FAIL/);
    lab.device('PIXEL').clearFaults();
    expect((await shell(lab.port, 'PIXEL', 'echo well')).stdout).toBe('well\n');
  });
});

describe('pace', () => {
  it('holds back what goes beyond the device’s speed', async () => {
    const lab = await startLab({
      devices: [pixel({ headers: { kind: 'built-in', archive: ARCHIVE }, speed: 20_000_000 })],
    });
    expect((await receiveFile(await receive(lab.port))).content.equals(ARCHIVE)).toBe(true);
    expect(lab.device('PIXEL').counters.bytesSent).toBeGreaterThan(ARCHIVE.length);
  });
});
