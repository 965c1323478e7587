import {
  describeAddress,
  isLocalAddress,
  resolveServerAddress,
  type ServerFlags,
} from '../../../src/adb/server-address';

const tcp = (host: string, port: number) => ({ kind: 'tcp', host, port });
const local = (path: string) => ({ kind: 'local', path });

describe('resolveServerAddress', () => {
  it.each<[what: string, flags: ServerFlags, env: Record<string, string>, expected: object]>([
    ['adb’s default', {}, {}, tcp('localhost', 5037)],
    [
      'both variables',
      {},
      { ANDROID_ADB_SERVER_ADDRESS: 'lab', ANDROID_ADB_SERVER_PORT: '5038' },
      tcp('lab', 5038),
    ],
    [
      'empty variables as unset',
      {},
      { ANDROID_ADB_SERVER_PORT: '', ANDROID_ADB_SERVER_ADDRESS: '', ADB_SERVER_SOCKET: '' },
      tcp('localhost', 5037),
    ],
    [
      'the socket variable before the others',
      {},
      { ADB_SERVER_SOCKET: 'tcp:far:1', ANDROID_ADB_SERVER_ADDRESS: 'lab' },
      tcp('far', 1),
    ],
    [
      'a flag before the socket variable',
      { port: 7 },
      { ADB_SERVER_SOCKET: 'tcp:far:1' },
      tcp('localhost', 7),
    ],
    [
      'the half that a flag leaves out',
      { host: 'h' },
      { ANDROID_ADB_SERVER_ADDRESS: 'lab', ANDROID_ADB_SERVER_PORT: '9' },
      tcp('h', 9),
    ],
    ['a socket with a port only', { socket: 'tcp:99' }, {}, tcp('localhost', 99)],
    ['a socket with an IPv6 host', { socket: 'tcp:[fe80::1]:99' }, {}, tcp('fe80::1', 99)],
    ['local:', {}, { ADB_SERVER_SOCKET: 'local:/run/adb' }, local('/run/adb')],
    ['localfilesystem:', { socket: 'localfilesystem:/a:b' }, {}, local('/a:b')],
    ['an IPv6 host in brackets', { host: '[::1]' }, {}, tcp('::1', 5037)],
  ])('takes %s', (_, flags, env, expected) => {
    expect(resolveServerAddress(flags, env)).toEqual(expected);
  });

  it.each<[named: string, flags: ServerFlags, env: Record<string, string>]>([
    ['$ANDROID_ADB_SERVER_PORT', {}, { ANDROID_ADB_SERVER_PORT: '0' }],
    ['$ANDROID_ADB_SERVER_PORT', {}, { ANDROID_ADB_SERVER_PORT: '65536' }],
    ['$ANDROID_ADB_SERVER_PORT', {}, { ANDROID_ADB_SERVER_PORT: '5037x' }],
    ['$ADB_SERVER_SOCKET', {}, { ADB_SERVER_SOCKET: 'vsock:3' }],
    ['$ADB_SERVER_SOCKET', {}, { ADB_SERVER_SOCKET: 'tcp:host:port' }],
    ['server port', { port: 70_000 }, {}],
    ['server socket', { socket: 'tcp:' }, {}],
    ['server socket', { socket: 'local:' }, {}],
    ['server socket excludes', { socket: 'tcp:1', host: 'x' }, {}],
  ])('is a usage error that names %s', (named, flags, env) => {
    let thrown: unknown;
    try {
      resolveServerAddress(flags, env);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'USAGE', message: expect.stringContaining(named) as string });
  });
});

describe('isLocalAddress', () => {
  it('holds for loopback addresses and socket files, and for nothing else', () => {
    const hosts = ['localhost', '127.0.0.1', '127.9.9.9', '::1', 'lab', '192.168.1.5', '127.evil.example'];
    expect(hosts.map((host) => isLocalAddress({ kind: 'tcp', host, port: 1 }))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(isLocalAddress({ kind: 'local', path: '/run/adb' })).toBe(true);
  });
});

describe('describeAddress', () => {
  it('shows host and port, with IPv6 in brackets, or the path', () => {
    expect(describeAddress({ kind: 'tcp', host: 'lab', port: 5037 })).toBe('lab:5037');
    expect(describeAddress({ kind: 'tcp', host: '::1', port: 5037 })).toBe('[::1]:5037');
    expect(describeAddress({ kind: 'local', path: '/run/adb' })).toBe('/run/adb');
  });
});
