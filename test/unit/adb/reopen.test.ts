import { connectServer } from '../../../src/adb/connect-server';
import { parseDeviceList } from '../../../src/adb/device-list';
import { reopenAfterRestart } from '../../../src/adb/reopen';
import { deviceScript, fakeAdbServer, PIXEL_LINE, type FakeAdbServer } from './support/fake-adb-server';

const signal = new AbortController().signal;
const TWIN_LINE = PIXEL_LINE.replace('usb:1-4', 'usb:1-5').replace('transport_id:7', 'transport_id:8');
const BACK_LINE = PIXEL_LINE.replace('transport_id:7', 'transport_id:9');

describe('reopenAfterRestart', () => {
  let server: FakeAdbServer;

  afterEach(async () => {
    await server.stop();
  });

  /** A server whose device goes, and whose list is another one at each question after that. */
  async function restarting(...lists: string[]) {
    let gone = false;
    let asked = 0;
    const base = deviceScript(() => undefined);
    server = await fakeAdbServer(async (peer, index) => {
      if (index < 2) return base(peer, index);
      const request = await peer.readRequest();
      peer.okay();
      if (request.endsWith(':wait-for-any-disconnect')) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        gone = true;
        peer.okay();
      } else if (request === 'host:devices-l') {
        expect(gone).toBe(true);
        peer.block(lists[Math.min(asked++, lists.length - 1)] ?? '');
      } else {
        expect(request).toMatch(/^host-transport-id:[79]:features$/);
        peer.block('shell_v2');
      }
      peer.socket.end();
    });
    const connected = await connectServer(server.address, { signal });
    const device = await connected.open(parseDeviceList(PIXEL_LINE)[0]!, { signal });
    return { connected, device };
  }

  it('waits for the old transport to go, and for the device to be ready under a new one', async () => {
    const { connected, device } = await restarting('', BACK_LINE.replace('device', 'offline'), BACK_LINE);
    const back = await reopenAfterRestart(connected, device, { signal, timeout: 4_000 });
    expect(back).toMatchObject({ serial: 'PIXEL', transportId: '9' });
  });

  it('knows a device over TCP again, which keeps its transport id', async () => {
    const { connected, device } = await restarting(PIXEL_LINE.replace('device', 'offline'), PIXEL_LINE);
    const back = await reopenAfterRestart(connected, device, { signal, timeout: 4_000 });
    expect(back.transportId).toBe('7');
  });

  it('does not take another phone with the same serial for it', async () => {
    const { connected, device } = await restarting(TWIN_LINE, TWIN_LINE, TWIN_LINE + BACK_LINE);
    const back = await reopenAfterRestart(connected, device, { signal, timeout: 4_000 });
    expect(back.transportId).toBe('9');
  });

  it('gives up with the serial when the device does not come back', async () => {
    const { connected, device } = await restarting('');
    await expect(reopenAfterRestart(connected, device, { signal, timeout: 300 })).rejects.toMatchObject({
      code: 'TIMEOUT',
      serial: 'PIXEL',
      message: expect.stringContaining('come back') as string,
    });
  });

  it('ends with the signal’s reason', async () => {
    const { connected, device } = await restarting('');
    const controller = new AbortController();
    setTimeout(() => controller.abort('enough'), 20);
    const reopening = reopenAfterRestart(connected, device, { signal: controller.signal, timeout: 4_000 });
    await expect(reopening).rejects.toBe('enough');
  });
});
