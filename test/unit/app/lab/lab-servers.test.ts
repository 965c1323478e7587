import { labServers, type ServerSources } from '../../../../src/app/lab/lab-servers';

function names(sources: Partial<ServerSources>): string[] {
  const { servers } = labServers({ hosts: [], ports: [], env: {}, ...sources });
  return servers.map(({ name }) => name);
}

describe('-H and -P', () => {
  it.each([
    [['a'], [], ['a:5037']],
    [[], [1], ['localhost:1']],
    [[], [1, 2], ['localhost:1', 'localhost:2']],
    [['a', 'b'], [], ['a:5037', 'b:5037']],
    [['a', 'b'], [1], ['a:1', 'b:1']],
    [['a'], [1, 2], ['a:1', 'a:2']],
    [
      ['a', 'b'],
      [1, 2],
      ['a:1', 'b:2'],
    ],
    [['a:7', 'b'], [1], ['a:7', 'b:1']],
    [
      ['a:7', 'b'],
      [1, 2],
      ['a:7', 'b:1', 'b:2'],
    ],
    [
      ['a', 'b:7', 'c'],
      [1, 2],
      ['a:1', 'b:7', 'c:2'],
    ],
    [['::1', '[fe80::1]:7'], [], ['[::1]:5037', '[fe80::1]:7']],
    [['a', 'a:5037'], [], ['a:5037']],
  ])('%j and %j are the servers %j', (hosts, ports, servers) => {
    expect(names({ hosts, ports })).toEqual(servers);
  });

  it.each([
    [['a', 'b'], [1, 2, 3], '3 times -P cannot be paired with 2 times -H'],
    [['a', 'b', 'c'], [1, 2], '2 times -P cannot be paired with 3 times -H'],
    [['a:7'], [1], 'every -H names its port already'],
    [['a b'], [], '-H must be a host or host:port, not "a b"'],
    [[''], [], '-H must be a host or host:port, not ""'],
    [['a:0'], [], 'the port of -H must be a port number'],
    [['a:70000'], [], 'the port of -H must be a port number'],
    [['http://a'], [], '-H'],
  ])('%j and %j are refused', (hosts, ports, message) => {
    expect(() => names({ hosts, ports })).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: expect.stringContaining(message) as string,
      }) as Error,
    );
  });

  it('take the half that is missing from the environment, as adb does', () => {
    const env = { ANDROID_ADB_SERVER_ADDRESS: 'h', ANDROID_ADB_SERVER_PORT: '9' };
    expect(names({ hosts: ['a', 'b:1'], env })).toEqual(['a:9', 'b:1']);
    expect(names({ ports: [1], env })).toEqual(['h:1']);
  });
});

describe('the adb servers of a run', () => {
  const entries = [
    { name: 'rack1', host: 'r1', jobs: 2 },
    { host: 'r2', port: 5038 },
  ];
  const origin = (sources: Partial<ServerSources>) =>
    labServers({ hosts: [], ports: [], env: {}, ...sources }).origin;

  it('are those of the flags, else the environment, else the lab file, else the one here', () => {
    const env = { ANDROID_ADB_SERVER_PORT: '9' };
    expect(names({ hosts: ['a'], env, entries })).toEqual(['a:9']);
    expect(origin({ hosts: ['a'], env, entries })).toBe('flags');
    expect(names({ env, entries })).toEqual(['localhost:9']);
    expect(origin({ env, entries })).toBe('environment');
    expect(names({ env: { ANDROID_ADB_SERVER_PORT: '' }, entries })).toEqual(['rack1', 'r2:5038']);
    expect(origin({ entries })).toBe('lab file');
    expect(names({})).toEqual(['localhost:5037']);
    expect(origin({})).toBe('default');
  });

  it('have the address and the limits that the lab file gives them', () => {
    expect(labServers({ hosts: [], ports: [], env: {}, entries }).servers).toEqual([
      { name: 'rack1', address: { kind: 'tcp', host: 'r1', port: 5037 }, jobs: 2, startable: false },
      { name: 'r2:5038', address: { kind: 'tcp', host: 'r2', port: 5038 }, startable: false },
    ]);
  });

  it.each<[string, Partial<ServerSources>, boolean[]]>([
    ['the only one, on this machine', { ports: [5040] }, [true]],
    ['the only one, on another machine', { hosts: ['rack1'] }, [false]],
    ['of several only the default one', { ports: [5037, 5040] }, [true, false]],
    ['not what may be a tunnel in a lab file', { entries: [{ port: 5040 }] }, [false]],
    ['the default one in a lab file', { entries: [{ name: 'here' }] }, [true]],
  ])('may be started: %s', (_which, sources, startable) => {
    const { servers } = labServers({ hosts: [], ports: [], env: {}, ...sources });
    expect(servers.map((server) => server.startable)).toEqual(startable);
  });
});
