import { modulePhone, pixel, startLab } from '../../support/lab';
import { adbClient, ask, openService, shell, trackDevices } from './support/adb-client';

async function untilTrue(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}

function transportIdOf(listing: string, serial: string): string | undefined {
  const line = listing.split('\n').find((each) => each.includes(serial));
  return /transport_id:(\d+)/.exec(line ?? '')?.[1];
}

describe('host services of the simulated adb server', () => {
  it('says its version, and the features of server and device', async () => {
    const { port } = await startLab({
      devices: [pixel({ features: ['shell_v2', 'x'] })],
      adb: { version: 40 },
    });
    expect(await ask(port, 'host:version')).toBe('OKAY00040028');
    expect(await ask(port, 'host:host-features')).toMatch(/^OKAY[0-9a-f]{4}shell_v2,cmd,/);
    expect(await ask(port, 'host:features')).toBe('OKAY000ashell_v2,x');
    expect(await ask(port, 'host-serial:PIXEL:features')).toBe('OKAY000ashell_v2,x');
    expect(await ask(port, 'host-transport-id:1:features')).toBe('OKAY000ashell_v2,x');
  });

  it('lists devices as adb does: states, ports, names without special characters, transport ids', async () => {
    const { port } = await startLab({
      devices: [
        pixel({ model: 'Pixel 8 (Pro)' }),
        pixel({ serial: 'BAD', state: 'unauthorized' }),
        pixel({ serial: '10.0.0.5:5555', connection: 'tcp' }),
        pixel({ serial: 'LOCKED', state: 'no permissions' }),
      ],
    });
    expect((await ask(port, 'host:devices')).slice(8).split('\n')).toEqual([
      'PIXEL\tdevice',
      'BAD\tunauthorized',
      '10.0.0.5:5555\tdevice',
      'LOCKED\tno permissions (user in plugdev group; are your udev rules wrong?); see [http://developer.android.com/tools/device.html]',
      '',
    ]);
    expect((await ask(port, 'host:devices-l')).slice(8).split('\n').slice(0, 3)).toEqual([
      'PIXEL                  device usb:1-1 product:shiba model:Pixel_8__Pro_ device:shiba transport_id:1',
      'BAD                    unauthorized usb:1-2 transport_id:2',
      '10.0.0.5:5555          device product:shiba model:Pixel_8 device:shiba transport_id:3',
    ]);
  });

  it.each([
    ['host:transport:NOPE', "device 'NOPE' not found"],
    ['host:tport:serial:NOPE', "device 'NOPE' not found"],
    ['host:transport-id:99', "no device with transport id '99'"],
    ['host-serial:10.1.1.1:5555:features', "device '10.1.1.1:5555' not found"],
    ['host-transport-id:99:features', "no device with transport id '99'"],
    ['host:transport-any', 'more than one device/emulator'],
    ['host:transport-usb', 'more than one device'],
    ['host:transport:OFF', 'device offline'],
    ['host-serial:OFF:get-state', 'device offline'],
    ['host:kill', 'this adb server is simulated: end it where it was started'],
    ['host:no-such', 'unknown host service'],
    ['no-such', 'unknown host service'],
  ])('refuses %s', async (request, text) => {
    const { port } = await startLab({ devices: [pixel(), pixel({ serial: 'OFF', state: 'offline' })] });
    const length = Buffer.byteLength(text).toString(16).padStart(4, '0');
    expect(await ask(port, request)).toBe(`FAIL${length}${text}`);
  });

  it('tells an unauthorized device apart, in adb’s words', async () => {
    const { port } = await startLab({ devices: [pixel({ state: 'unauthorized' })] });
    expect(await ask(port, 'host:transport:PIXEL')).toMatch(
      /^FAIL[0-9a-f]{4}device unauthorized\.\nThis adb server's \$ADB_VENDOR_KEYS is not set\n/,
    );
  });

  it('answers for the only device where none is named', async () => {
    const { port } = await startLab({ devices: [pixel()] });
    expect(await ask(port, 'host:get-serialno')).toBe('OKAY0005PIXEL');
    expect(await ask(port, 'host-usb:get-state')).toBe('OKAY0006device');
    expect(await ask(port, 'host:get-devpath')).toBe('OKAY0007usb:1-1');
  });

  it.each(['a b', 'x:y:z', 'usb:1-9', "quote'd", 'süß', 'features', '-s', '%n'])(
    'finds a device whose serial is %j',
    async (serial) => {
      const { port } = await startLab({ devices: [pixel(), pixel({ serial })] });
      expect(await ask(port, `host-serial:${serial}:get-serialno`)).toMatch(new RegExp(`${serial}$`));
      expect((await shell(port, serial, 'getprop ro.serialno')).stdout).toBe(`${serial}\n`);
    },
  );

  it.each(['model:Pixel_8', 'product:shiba', 'device:shiba', 'usb:1-1'])(
    'takes %s for a serial',
    async (name) => {
      const { port } = await startLab({ devices: [pixel(), modulePhone()] });
      expect(await ask(port, `host-serial:${name}:get-serialno`)).toBe('OKAY0005PIXEL');
    },
  );

  it('gives the transport id with tport, from version 41 on', async () => {
    const { port } = await startLab({ devices: [modulePhone(), pixel()] });
    const client = await adbClient(port);
    client.send('host:tport:serial:PIXEL');
    const reply = await client.read(12);
    expect(reply.toString('latin1', 0, 4)).toBe('OKAY');
    expect(reply.readBigUInt64LE(4)).toBe(2n);
    client.close();
    const old = await startLab({ devices: [pixel()], adb: { version: 40 } });
    expect(await ask(old.port, 'host:tport:serial:PIXEL')).toMatch(/^FAIL.*unknown host service$/);
  });

  it('closes on a client that does not speak the protocol, and serves the next', async () => {
    const { port } = await startLab({ devices: [pixel()] });
    const client = await adbClient(port);
    client.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    expect((await client.readAll()).toString()).toBe('');
    expect(await ask(port, 'host:version')).toBe('OKAY00040029');
  });

  it('tells who tracks devices of every change, once', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const next = await trackDevices(lab.port, 'host:track-devices-l');
    expect(transportIdOf(await next(), 'PIXEL')).toBe('1');
    lab.device('PIXEL').unplug();
    expect(await next()).toBe('');
    lab.device('PIXEL').plug();
    expect(transportIdOf(await next(), 'PIXEL')).toBe('2');
    lab.device('PIXEL').setState('offline');
    expect(await next()).toContain('offline');
  });

  it('waits for a device to go, and for one to come', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const gone = await adbClient(lab.port);
    gone.send('host-transport-id:1:wait-for-any-disconnect');
    const back = await adbClient(lab.port);
    expect((await gone.read(4)).toString()).toBe('OKAY');
    lab.device('PIXEL').unplug();
    expect((await gone.readAll()).toString()).toBe('OKAY');
    back.send('host-serial:PIXEL:wait-for-any-device');
    expect((await back.read(4)).toString()).toBe('OKAY');
    lab.device('PIXEL').plug();
    expect((await back.readAll()).toString()).toBe('OKAY');
  });

  it('ends the connections to a device that is unplugged, and none other', async () => {
    const lab = await startLab({ devices: [pixel(), modulePhone()] });
    const lost = await openService(lab.port, 'PIXEL', 'shell,v2,raw:sleep 100');
    const kept = await openService(lab.port, 'MODULE', 'shell,v2,raw:read x; exit 3');
    lab.device('PIXEL').unplug();
    expect(await lost.readAll()).toHaveLength(0);
    expect(lab.device('MODULE').counters.socketsOpen).toBe(1);
    kept.write(Buffer.from([0, 2, 0, 0, 0, 0x61, 0x0a]));
    expect([...(await kept.readAll())]).toEqual([3, 1, 0, 0, 0, 3]);
    await untilTrue(() => lab.device('MODULE').counters.socketsOpen === 0);
  });

  it('serves the same devices on the same port after a restart', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const open = await openService(lab.port, 'PIXEL', 'shell,v2,raw:sleep 100');
    await lab.restart();
    expect(await open.readAll()).toHaveLength(0);
    expect((await shell(lab.port, 'PIXEL', 'echo again')).stdout).toBe('again\n');
  });

  it('refuses a port that is taken, naming it', async () => {
    const { port } = await startLab({ devices: [pixel()] });
    await expect(startLab({ devices: [] }, { port })).rejects.toMatchObject({
      code: 'USAGE',
      message: `can't listen on 127.0.0.1:${port}: the port is taken`,
    });
  });
});

describe('adbd of a simulated device', () => {
  it('comes back as root under a new transport id', async () => {
    const lab = await startLab({ devices: [modulePhone()] });
    const root = await openService(lab.port, 'MODULE', 'root:');
    expect((await root.readAll()).toString()).toBe('restarting adbd as root\n');
    await untilTrue(async () => transportIdOf(await ask(lab.port, 'host:devices-l'), 'MODULE') === '2');
    expect((await shell(lab.port, 'MODULE', 'id -u')).stdout).toBe('0\n');
    const again = await openService(lab.port, 'MODULE', 'root:');
    expect((await again.readAll()).toString()).toBe('adbd is already running as root\n');
    const unroot = await openService(lab.port, 'MODULE', 'unroot:');
    expect((await unroot.readAll()).toString()).toBe('restarting adbd as non root\n');
    await untilTrue(async () => transportIdOf(await ask(lab.port, 'host:devices-l'), 'MODULE') === '3');
    expect((await shell(lab.port, 'MODULE', 'id -u')).stdout).toBe('2000\n');
  });

  it('refuses root on a user build', async () => {
    const { port } = await startLab({ devices: [pixel({ adbRoot: 'refused' })] });
    const root = await openService(port, 'PIXEL', 'root:');
    expect((await root.readAll()).toString()).toBe('adbd cannot run as root in production builds\n');
    expect((await shell(port, 'PIXEL', 'id -u')).stdout).toBe('2000\n');
  });

  it('has another boot id, and no module loaded, after a reboot', async () => {
    const lab = await startLab({ devices: [modulePhone({ user: 'root' })] });
    const bootId = async () =>
      (await shell(lab.port, 'MODULE', 'cat /proc/sys/kernel/random/boot_id')).stdout;
    const before = await bootId();
    lab.device('MODULE').loadModule('kheaders');
    expect(lab.device('MODULE').modules()).toEqual(['kheaders']);
    const reboot = await openService(lab.port, 'MODULE', 'reboot:');
    await reboot.readAll();
    expect(lab.device('MODULE').modules()).toEqual([]);
    await untilTrue(async () => (await ask(lab.port, 'host:devices')).includes('MODULE'));
    expect(await bootId()).not.toBe(before);
  });

  it('keeps both outputs and the exit code apart with shell_v2, and mixes them without', async () => {
    const { port } = await startLab({ devices: [pixel()] });
    const script = 'echo out; echo err >&2; exit 9';
    expect(await shell(port, 'PIXEL', script)).toEqual({ exitCode: 9, stdout: 'out\n', stderr: 'err\n' });
    for (const service of [`shell:${script}`, `exec:${script}`]) {
      const client = await openService(port, 'PIXEL', service);
      expect((await client.readAll()).toString()).toBe('out\nerr\n');
    }
  });

  it('ends lines by CR LF in a shell before Android 7, but not in exec', async () => {
    const { port } = await startLab({ devices: [pixel({ sdk: 23, android: '6.0' })] });
    const lines = await openService(port, 'PIXEL', 'shell:echo a; echo b');
    expect((await lines.readAll()).toString()).toBe('a\r\nb\r\n');
    const raw = await openService(port, 'PIXEL', 'exec:echo a');
    expect((await raw.readAll()).toString()).toBe('a\n');
    expect(await ask(port, 'host-serial:PIXEL:features')).toBe('OKAY0000');
  });

  it('hangs up on a service that it does not have', async () => {
    const { port } = await startLab({ devices: [pixel()] });
    const client = await adbClient(port);
    client.send('host:transport:PIXEL');
    await client.read(4);
    client.send('jdwp:1');
    expect((await client.readAll()).toString()).toBe('FAIL0006closed');
  });

  it('counts what was asked of it', async () => {
    const lab = await startLab({ devices: [pixel()] });
    await shell(lab.port, 'PIXEL', 'md5sum /sys/kernel/kheaders.tar.xz; echo done');
    const { services, md5Computed, bytesSent } = lab.device('PIXEL').counters;
    expect(services).toEqual({ shell: 1 });
    expect(md5Computed).toBe(1);
    expect(bytesSent).toBeGreaterThan(32);
  });
});
