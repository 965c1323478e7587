import { modulePhone, pixel, startLab } from '../../support/lab';
import { openService, receiveFile, shell, syncRequest } from './support/adb-client';

const PATH = '/sys/kernel/kheaders.tar.xz';
const ARCHIVE = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
const builtIn = { kind: 'built-in', archive: ARCHIVE } as const;

describe('the sync service of a simulated device', () => {
  it('gives a sysfs file in frames of a page, byte for byte', async () => {
    const { port } = await startLab({ devices: [pixel({ headers: builtIn })] });
    const sync = await openService(port, 'PIXEL', 'sync:');
    sync.write(syncRequest('RECV', PATH));
    const first = await sync.read(8);
    expect(first.readUInt32LE(4)).toBe(4096);
    await sync.read(4096);
    const { content } = await receiveFile(sync);
    expect(content.equals(ARCHIVE.subarray(4096))).toBe(true);
  });

  it('serves several requests on one connection, until QUIT', async () => {
    const lab = await startLab({ devices: [pixel({ headers: builtIn })] });
    const sync = await openService(lab.port, 'PIXEL', 'sync:');
    for (let times = 0; times < 2; times += 1) {
      sync.write(syncRequest('RECV', PATH));
      expect((await receiveFile(sync)).content.equals(ARCHIVE)).toBe(true);
    }
    sync.write(syncRequest('QUIT', ''));
    expect(await sync.readAll()).toHaveLength(0);
    expect(lab.device('PIXEL').counters).toMatchObject({ recvStarted: 2, recvCompleted: 2 });
  });

  it('ends the session after a FAIL', async () => {
    const { port } = await startLab({ devices: [pixel({ headers: { kind: 'denied', archive: ARCHIVE } })] });
    for (const [path, text] of [
      [PATH, 'open failed: Permission denied'],
      ['/nope', 'open failed: No such file or directory'],
      ['/sys', 'open failed: Is a directory'],
    ] as const) {
      const sync = await openService(port, 'PIXEL', 'sync:');
      sync.write(syncRequest('RECV', path));
      expect(await receiveFile(sync)).toMatchObject({ failure: text });
      expect(await sync.readAll()).toHaveLength(0);
    }
  });

  it('fails in the middle with ENODEV when the module is unloaded', async () => {
    const lab = await startLab({
      devices: [modulePhone({ headers: { kind: 'module', archive: ARCHIVE, loaded: true }, speed: 500_000 })],
    });
    const sync = await openService(lab.port, 'MODULE', 'sync:');
    sync.write(syncRequest('RECV', PATH));
    await sync.read(100);
    expect((await shell(lab.port, 'MODULE', 'ls /proc | grep -c "^[0-9]"')).stdout).toBe('1\n');
    lab.device('MODULE').unloadModule('kheaders');
    expect((await sync.readAll()).toString('latin1')).toMatch(/FAIL.{4}read failed: No such device$/s);
    expect(lab.device('MODULE').counters).toMatchObject({ recvStarted: 1, recvCompleted: 0 });
  });

  it('has no errors in stat version 1, and the errno in version 2', async () => {
    const { port } = await startLab({ devices: [pixel({ headers: { kind: 'denied', archive: ARCHIVE } })] });
    const sync = await openService(port, 'PIXEL', 'sync:');
    sync.write(syncRequest('STAT', PATH));
    expect([...(await sync.read(16)).subarray(4)]).toEqual(Array(12).fill(0));
    sync.write(syncRequest('STAT', '/proc'));
    expect((await sync.read(16)).readUInt32LE(4)).toBe(0o040755);
    for (const [path, errno] of [
      [PATH, 13],
      ['/nope', 2],
      ['/proc', 0],
    ] as const) {
      sync.write(syncRequest('STA2', path));
      expect((await sync.read(72)).readUInt32LE(4)).toBe(errno);
    }
    sync.write(syncRequest('QUIT', ''));
    await sync.readAll();
  });

  it('follows links in STA2, and does not in LST2', async () => {
    const { port } = await startLab({ devices: [pixel({ files: { '/l': { link: '/f' }, '/f': 'text' } })] });
    const sync = await openService(port, 'PIXEL', 'sync:');
    const ask = async (id: string) => {
      sync.write(syncRequest(id, '/l'));
      const reply = await sync.read(72);
      return { mode: reply.readUInt32LE(24), size: Number(reply.readBigUInt64LE(40)) };
    };
    expect(await ask('STA2')).toEqual({ mode: 0o100644, size: 4 });
    expect(await ask('LST2')).toEqual({ mode: 0o120777, size: 2 });
    sync.close();
  });

  it('knows no STA2 where the device has no stat_v2', async () => {
    const { port } = await startLab({ devices: [pixel({ features: ['shell_v2'] })] });
    const sync = await openService(port, 'PIXEL', 'sync:');
    sync.write(syncRequest('STA2', PATH));
    expect((await sync.readAll()).toString('latin1')).toMatch(/^FAIL.{4}unknown command STA2$/s);
  });

  it('lists a folder', async () => {
    const { port } = await startLab({ devices: [pixel({ headers: builtIn })] });
    const sync = await openService(port, 'PIXEL', 'sync:');
    sync.write(syncRequest('LIST', '/sys/kernel'));
    const entry = await sync.read(20);
    expect(entry.toString('latin1', 0, 4)).toBe('DENT');
    expect(entry.readUInt32LE(8)).toBe(ARCHIVE.length);
    expect((await sync.read(entry.readUInt32LE(16))).toString()).toBe('kheaders.tar.xz');
    expect((await sync.read(20)).toString('latin1', 0, 4)).toBe('DONE');
    sync.close();
  });

  it('takes files where the shell user may write, and only there', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const data = Buffer.from('DATA\x05\0\0\0helloDONE\0\0\0\0', 'latin1');
    const allowed = await openService(lab.port, 'PIXEL', 'sync:');
    allowed.write(Buffer.concat([syncRequest('SEND', '/data/local/tmp/new/f,33188'), data]));
    expect((await allowed.read(8)).toString('latin1', 0, 4)).toBe('OKAY');
    expect(lab.device('PIXEL').readFile('/data/local/tmp/new/f')?.toString()).toBe('hello');
    allowed.close();
    const refused = await openService(lab.port, 'PIXEL', 'sync:');
    refused.write(Buffer.concat([syncRequest('SEND', '/system/f,33188'), data]));
    expect((await refused.readAll()).toString('latin1')).toMatch(
      /^FAIL.{4}couldn't create file: Permission denied$/s,
    );
  });

  it.each([
    ['an unknown id', syncRequest('WHAT', '/x'), /unknown command WHAT/],
    ['a path that is too long', syncRequest('RECV', `/${'x'.repeat(1024)}`), /path too long/],
    [
      'data that is no data',
      Buffer.concat([syncRequest('SEND', '/sdcard/x,1'), Buffer.alloc(8, 1)]),
      /invalid data/,
    ],
  ])('answers %s with FAIL, and closes', async (_, request, text) => {
    const { port } = await startLab({ devices: [pixel()] });
    const sync = await openService(port, 'PIXEL', 'sync:');
    sync.write(request);
    expect((await sync.readAll()).toString('latin1')).toMatch(text);
  });
});
