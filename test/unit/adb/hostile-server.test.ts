import fc from 'fast-check';
import type { AdbDevice } from '../../../src/adb/adb-device';
import { connectServer } from '../../../src/adb/connect-server';
import { openDevice } from '../../../src/adb/open-device';
import { KhError } from '../../../src/core/errors';
import { deviceScript, fakeAdbServer, frame, packet, type FakeAdbServer } from './support/fake-adb-server';

const signal = new AbortController().signal;
const bounds = { signal, timeout: 2_000 };

/** Bytes that are noise, or nearly what the protocol asks for. */
const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((noise) => Buffer.from(noise)),
      fc
        .constantFrom('OKAY', 'FAIL', '0004', 'ffff', 'DATA', 'DONE', 'STA2', 'STAT')
        .map((word) => Buffer.from(word)),
      fc
        .tuple(fc.constantFrom('DATA', 'DONE', 'FAIL', 'STAT'), fc.nat({ max: 70_000 }), fc.string())
        .map(([id, value, data]) => frame(id, value, data)),
      fc.tuple(fc.nat({ max: 5 }), fc.string()).map(([kind, data]) => packet(kind, data)),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Buffer.concat(parts));

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
  let answer = Buffer.alloc(0);
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
      fc.asyncProperty(bytes, async (generated) => {
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
        bytes,
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
