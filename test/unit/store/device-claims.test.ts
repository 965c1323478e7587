import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  claimDeviceName,
  type AttachedElsewhere,
  type DeviceClaim,
  type DeviceSighting,
} from '../../../src/store/device-claims';
import { cleanUp, newStore, runInChild } from './rig';

afterEach(cleanUp);

const CHEAP = '0123456789ABCDEF';
const phone = (changes: Partial<DeviceSighting> = {}): DeviceSighting => ({
  serialno: 'R58M123',
  serial: 'R58M123',
  devpath: 'usb:1-1',
  bootId: 'boot-1',
  ...changes,
});

/** Fails when asked: the name has to be clear without a look at what is attached. */
const notAsked: AttachedElsewhere = (claim) => Promise.reject(new Error(`asked about ${claim.name}`));
const answer =
  (what: 'absent' | 'same' | 'different'): AttachedElsewhere =>
  async () =>
    what;

describe('claimDeviceName', () => {
  it('is the serial number, and stays so', async () => {
    const store = await newStore();
    expect(await claimDeviceName(store, phone(), notAsked)).toBe('R58M123');
    const [file] = readdirSync(store.devices);
    const before = readFileSync(join(store.devices, file!), 'utf8');
    expect(await claimDeviceName(store, phone(), notAsked)).toBe('R58M123');
    expect(readFileSync(join(store.devices, file!), 'utf8')).toBe(before);
  });

  it('needs no lock where nothing changed', async () => {
    const store = await newStore();
    await claimDeviceName(store, phone(), notAsked);
    const locked = runInChild(
      store,
      `await kh('lock').withLock(store, 'device-R58M123', () => { say('held'); return new Promise(() => setInterval(() => undefined, 1000)); });`,
    );
    await locked.line();
    expect(await claimDeviceName({ ...store, signal: AbortSignal.abort() }, phone(), notAsked)).toBe(
      'R58M123',
    );
  });

  it.each(['', 'unknown', 'UNKNOWN', '00000000', CHEAP, '0123456789abcdef', '1234567890ABCDEF', 'null'])(
    'takes the adb serial where the serial number is %j',
    async (serialno) => {
      const store = await newStore();
      const name = await claimDeviceName(store, phone({ serialno, serial: '10.0.0.7:5555' }), notAsked);
      expect(name).toMatch(/^10\.0\.0\.7_5555~[0-9a-f]{10}$/);
    },
  );

  it('is the same over another connection within one boot', async () => {
    const store = await newStore();
    await claimDeviceName(store, phone(), notAsked);
    const tcp = phone({ serial: '10.0.0.7:5555', devpath: undefined });
    expect(await claimDeviceName(store, tcp, notAsked)).toBe('R58M123');
  });

  it('is the same at the same port after a reboot', async () => {
    const store = await newStore();
    await claimDeviceName(store, phone(), notAsked);
    expect(await claimDeviceName(store, phone({ bootId: 'boot-2' }), notAsked)).toBe('R58M123');
    expect(await claimDeviceName(store, phone({ bootId: 'boot-2', devpath: 'usb:9-9' }), notAsked)).toBe(
      'R58M123',
    );
  });

  it('goes to the device at another port once its own is no longer attached', async () => {
    const store = await newStore();
    await claimDeviceName(store, phone(), notAsked);
    const moved = phone({ devpath: 'usb:2-2', bootId: 'boot-2' });
    expect(await claimDeviceName(store, moved, answer('absent'))).toBe('R58M123');
    expect(await claimDeviceName(store, moved, notAsked)).toBe('R58M123');
  });

  it('is shared where the other connection leads to the same phone', async () => {
    const store = await newStore();
    await claimDeviceName(store, phone(), notAsked);
    const tcp = phone({ serial: '10.0.0.7:5555', devpath: undefined, bootId: 'boot-2' });
    expect(await claimDeviceName(store, tcp, answer('same'))).toBe('R58M123');
  });

  it('is another for a second phone with the same serial number, and both keep theirs', async () => {
    const store = await newStore();
    const first = phone({ serialno: CHEAP, serial: CHEAP });
    const second = { ...first, devpath: 'usb:1-2', bootId: 'boot-b' };
    const third = { ...first, devpath: 'usb:1-3', bootId: 'boot-c' };
    const asked: DeviceClaim[] = [];
    const different: AttachedElsewhere = async (claim) => {
      asked.push(claim);
      return 'different';
    };
    const names = [
      await claimDeviceName(store, first, different),
      await claimDeviceName(store, second, different),
      await claimDeviceName(store, third, different),
    ];
    expect(names[0]).toBe(CHEAP);
    expect(names[1]).toMatch(/^0123456789ABCDEF~[0-9a-f]{10}$/);
    expect(new Set(names).size).toBe(3);
    expect(asked[0]).toMatchObject({ name: CHEAP, serial: CHEAP, devpath: 'usb:1-1', bootId: 'boot-1' });
    const again = [first, second, third].map((device) => claimDeviceName(store, device, notAsked));
    expect(await Promise.all(again)).toEqual(names);
  });

  it('finds a free name when the one for its port is still held by a phone that moved', async () => {
    const store = await newStore();
    const at = (devpath: string, bootId: string) => phone({ devpath, bootId });
    const first = await claimDeviceName(store, at('1', 'a'), answer('different'));
    const second = await claimDeviceName(store, at('2', 'b'), answer('different'));
    expect(await claimDeviceName(store, at('3', 'b'), answer('different'))).toBe(second);
    const third = await claimDeviceName(store, at('2', 'c'), answer('different'));
    expect(new Set([first, second, third]).size).toBe(3);
  });

  it('does not give the name of another serial number, as a disk that folds case would show it', async () => {
    const store = await newStore();
    await claimDeviceName(store, phone({ serialno: 'ABC1', serial: 'ABC1' }), notAsked);
    const claim = readFileSync(join(store.devices, 'ABC1.json'));
    writeFileSync(join(store.devices, 'abc1.json'), claim); // what reading abc1.json gives on such a disk
    const name = await claimDeviceName(
      store,
      phone({ serialno: 'abc1', serial: 'abc1', bootId: 'b' }),
      notAsked,
    );
    expect(name).toMatch(/^abc1~[0-9a-f]{10}$/);
  });

  it('writes a damaged claim anew', async () => {
    const store = await newStore();
    writeFileSync(join(store.devices, 'R58M123.json'), '{"claim": 1, "serialno": 7}');
    expect(await claimDeviceName(store, phone(), notAsked)).toBe('R58M123');
    expect(await claimDeviceName(store, phone(), notAsked)).toBe('R58M123');
  });

  it('is settled between pulls of two twins that begin at the same moment', async () => {
    const store = await newStore();
    const twin = (n: number) =>
      phone({ serialno: CHEAP, serial: CHEAP, devpath: `usb:1-${n}`, bootId: `boot-${n}` });
    const children = [1, 2].map((n) =>
      runInChild(
        store,
        `say(await kh('device-claims').claimDeviceName(store, ${JSON.stringify(twin(n))}, async () => 'different'));`,
      ),
    );
    const names = await Promise.all([
      ...children.map((child) => child.line()),
      ...[3, 4, 5].map((n) => claimDeviceName(store, twin(n), answer('different'))),
    ]);
    expect(new Set(names).size).toBe(5);
  });

  it('never mixes up phones that stay attached, whatever the order of their pulls and reboots', async () => {
    const store = await newStore();
    const ports = [1, 2, 3, 4];
    const boots = new Map(ports.map((port) => [port, 0]));
    const sighting = (port: number) =>
      phone({
        serialno: CHEAP,
        serial: CHEAP,
        devpath: `usb:${port}`,
        bootId: `boot-${port}-${boots.get(port)}`,
      });
    const names = new Map<number, string>();
    for (const port of [1, 2, 1, 3, 3, 2, 4, 1, 4, 2]) {
      const name = await claimDeviceName(store, sighting(port), answer('different'));
      expect(names.get(port) ?? name).toBe(name);
      names.set(port, name);
      boots.set(port, boots.get(port)! + 1);
    }
    expect(new Set(names.values()).size).toBe(ports.length);
  });
});

describe('claimDeviceName over several adb servers', () => {
  const rack = (server: string, bootId: string) =>
    phone({ server: `tcp:${server}:5037`, bootId, serial: 'CHEAP', serialno: 'CHEAP' });

  it('tells two boards apart that are at the same port of two hosts', async () => {
    const store = await newStore();
    expect(await claimDeviceName(store, rack('rack1', 'boot-1'), notAsked)).toBe('CHEAP');
    const second = await claimDeviceName(store, rack('rack2', 'boot-2'), answer('different'));
    expect(second).toMatch(/^CHEAP~[0-9a-f]{10}$/);
    expect(await claimDeviceName(store, rack('rack2', 'boot-2'), notAsked)).toBe(second);
    expect(await claimDeviceName(store, rack('rack1', 'boot-1'), notAsked)).toBe('CHEAP');
  });

  it('knows each by its host after a reboot', async () => {
    const store = await newStore();
    await claimDeviceName(store, rack('rack1', 'boot-1'), notAsked);
    const second = await claimDeviceName(store, rack('rack2', 'boot-2'), answer('different'));
    expect(await claimDeviceName(store, rack('rack2', 'boot-4'), notAsked)).toBe(second);
    expect(await claimDeviceName(store, rack('rack1', 'boot-3'), notAsked)).toBe('CHEAP');
  });

  it('keeps the name of a phone that moves to another host without a reboot', async () => {
    const store = await newStore();
    await claimDeviceName(store, rack('rack1', 'boot-1'), notAsked);
    expect(await claimDeviceName(store, rack('rack2', 'boot-1'), notAsked)).toBe('CHEAP');
  });

  it('takes a claim of an older version, which names no server, for one of the server it is at', async () => {
    const store = await newStore();
    await claimDeviceName(store, phone({ bootId: 'boot-1' }), notAsked);
    const moved = phone({ bootId: 'boot-2', server: 'tcp:localhost:5037' });
    expect(await claimDeviceName(store, moved, notAsked)).toBe('R58M123');
    const claim = readFileSync(join(store.devices, 'R58M123.json'), 'utf8');
    expect(JSON.parse(claim)).toMatchObject({ server: 'tcp:localhost:5037' });
  });
});
