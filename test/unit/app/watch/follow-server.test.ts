import { followServer, type FollowOptions } from '../../../../src/app/watch/follow-server';
import type { AdbServerAddress } from '../../../../src/adb/server-address';
import { KhError } from '../../../../src/core/errors';
import { fakeAdbServer, type Peer } from '../../adb/support/fake-adb-server';
import { pixel, startLab } from '../../../support/lab';

/** Follows a server until the test says so; everything that is told is noted. */
function follow(address: AdbServerAddress, options: Partial<FollowOptions> = {}) {
  const stop = new AbortController();
  const told: string[] = [];
  const waiting: { text: string; resolve: () => void }[] = [];
  const note = (text: string) => {
    told.push(text);
    for (const one of waiting) if (one.text === text) one.resolve();
  };
  const ended = followServer(
    { name: 'server', address, startable: false },
    {
      signal: stop.signal,
      connectTimeout: 500,
      livenessInterval: 60_000,
      attempts: Infinity,
      firstPause: 20,
      longestPause: 100,
      onConnected: () => note('connected'),
      onList: (listed) => note(`list of ${listed.length}`),
      onLost: (error) => note(`lost: ${error.code}`),
      ...options,
    },
  );
  ended.catch(() => undefined);
  /** Settles when that has been told from now on. */
  const next = (text: string) => new Promise<void>((resolve) => void waiting.push({ text, resolve }));
  return {
    told,
    next,
    ended,
    stop: async () => {
      stop.abort();
      await ended;
    },
  };
}

/** Answers as an adb server without devices does; what it does with a tracker is the test's. */
function answer(track: (peer: Peer) => Promise<void> | void) {
  return async (peer: Peer) => {
    const request = await peer.readRequest();
    if (request === 'host:version') {
      peer.okay();
      peer.block('0029');
      peer.socket.end();
    } else if (request.startsWith('host:track-devices')) {
      await track(peer);
    }
  };
}

describe('the list of an adb server', () => {
  it('is followed over a restart of the server, which is told once', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const { port, host } = lab;
    const { told, next, stop } = follow({ kind: 'tcp', host, port }, { firstPause: 250, longestPause: 250 });
    await next('list of 1');
    lab.device('PIXEL').unplug();
    await next('list of 0');
    const back = next('list of 0');
    await lab.restart(300);
    await back;
    await stop();
    expect(told).toEqual([
      'connected',
      'list of 1',
      'list of 0',
      'lost: ADB_UNAVAILABLE',
      'connected',
      'list of 0',
    ]);
  });

  it('is lost when the server hangs: it is asked now and then', async () => {
    const server = await fakeAdbServer(
      answer((peer) => {
        peer.okay();
        peer.block('');
      }),
    );
    const { told, next, stop } = follow(server.address, { livenessInterval: 50, connectTimeout: 100 });
    await next('lost: TIMEOUT');
    expect(told.slice(0, 3)).toEqual(['connected', 'list of 0', 'lost: TIMEOUT']);
    await next('connected');
    await stop();
    await server.stop();
  });

  it('ends at once when the watch does, and leaves no connection', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const { port, host } = lab;
    const { next, stop } = follow({ kind: 'tcp', host, port });
    await next('list of 1');
    await stop();
    expect(lab.errors).toEqual([]);
  });
});

describe('a server that is not there', () => {
  const nowhere: AdbServerAddress = { kind: 'tcp', host: '0.0.0.0', port: 1 }; // by no name of this machine that kh knows

  it('is waited for without end, and told of once', async () => {
    const { told, stop } = follow(nowhere);
    await new Promise((resolve) => setTimeout(resolve, 400));
    await stop();
    expect(told).toEqual(['lost: ADB_UNAVAILABLE']);
  });

  it('is given up where the watch is to end', async () => {
    const { told, ended } = follow(nowhere, { attempts: 3 });
    await expect(ended).rejects.toMatchObject({ code: 'ADB_UNAVAILABLE' });
    await expect(ended).rejects.toBeInstanceOf(KhError);
    expect(told).toEqual([]);
  });

  it('is given up after some attempts where it was there before', async () => {
    const server = await fakeAdbServer(answer((peer) => peer.fail('out of order')));
    const { told, ended } = follow(server.address, { attempts: 3 });
    await expect(ended).rejects.toMatchObject({ code: 'ADB_PROTOCOL' });
    expect(told.filter((text) => text === 'connected')).toHaveLength(3);
    await server.stop();
  });
});
