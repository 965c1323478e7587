import fc from 'fast-check';
import type { AdbDevice } from '../../../src/adb/adb-device';
import { connectServer } from '../../../src/adb/connect-server';
import { openDevice } from '../../../src/adb/open-device';
import { KhError } from '../../../src/core/errors';
import { adbBytes } from '../../support/fuzz/arbitraries';
import { deviceScript, fakeAdbServer, type FakeAdbServer } from './support/fake-adb-server';

const signal = new AbortController().signal;
const bounds = { signal, timeout: 2_000 };

async function settlesWell(work: Promise<unknown>): Promise<void> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown !== undefined) {
    expect(thrown).toBeInstanceOf(KhError);
    expect(['INTERNAL', 'TIMEOUT']).not.toContain((thrown as KhError).code);
  }
}

async function drain(chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) expect(chunk.length).toBeGreaterThan(0);
}

describe('bytes that no adb server would send', () => {
  let answer: Buffer = Buffer.alloc(0);
  let features = '';
  let server: FakeAdbServer;

  afterEach(async () => {
    await server.stop();
  });

  it('never hang nor crash what is asked of a server', async () => {
    server = await fakeAdbServer((peer) => {
      peer.write(answer);
      peer.socket.end();
    });
    await fc.assert(
      fc.asyncProperty(adbBytes, async (generated) => {
        answer = generated;
        await settlesWell(connectServer(server.address, { signal, connectTimeout: 2_000 }));
        await settlesWell(openDevice(server.address, { serial: 'PIXEL', state: 'device' }, bounds));
      }),
      { numRuns: 60 },
    );
  });

  it('never hang nor crash what is asked of a device', async () => {
    server = await fakeAdbServer((peer, index) =>
      deviceScript(
        () => {
          peer.okay(answer);
          peer.socket.end();
        },
        { 'host-transport-id:7:features': features },
      )(peer, index),
    );
    const calls: ((device: AdbDevice) => Promise<unknown>)[] = [
      (device) => device.run('x', bounds),
      (device) => device.stat('/x', bounds),
      (device) => drain(device.receive('/x', bounds)),
      (device) => drain(device.stream('x', bounds)),
      (device) => device.restartAsRoot(bounds),
    ];
    await fc.assert(
      fc.asyncProperty(
        adbBytes,
        fc.constantFrom('', 'shell_v2,stat_v2'),
        fc.constantFrom(...calls),
        async (generated, offered, work) => {
          answer = generated;
          features = offered;
          const listed = { serial: 'PIXEL', state: 'device', transportId: '7' };
          await settlesWell(work(await openDevice(server.address, listed, bounds)));
        },
      ),
      { numRuns: 120 },
    );
  });
});
