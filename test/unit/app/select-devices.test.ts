import type { AdbServer } from '../../../src/adb/adb-server';
import type { ListedDevice } from '../../../src/adb/device-list';
import { inLab, type LabDevice, type LostServer } from '../../../src/app/lab/reach-lab';
import { selectDevices, selectEach } from '../../../src/app/select-devices';
import { KhError } from '../../../src/core/errors';

function labServer(name: string) {
  return { name, address: { kind: 'tcp', host: name, port: 5037 } as const, startable: false };
}

function at(server: string, listed: ListedDevice, several = true): LabDevice {
  return inLab(listed, { ...labServer(server), adb: {} as AdbServer }, several);
}

const here = (listed: ListedDevice) => at('localhost:5037', listed, false);
const pixel = here({ serial: 'PIXEL', state: 'device', model: 'Pixel_8', transportId: '1' });
const emulator = here({ serial: 'emulator-5554', state: 'device', model: 'sdk', transportId: '2' });
const locked = here({ serial: 'LOCKED', state: 'unauthorized', transportId: '3' });

const lab = (...devices: LabDevice[]) => ({ devices, lost: [] as LostServer[] });

const only = { serials: [] as string[], all: false, exclude: [] as string[] };

describe('selectDevices', () => {
  it('takes the only device without being told', () => {
    expect(selectDevices(lab(pixel), only)).toEqual([pixel]);
  });

  it('asks to choose where there are several, and names them', () => {
    expect(() => selectDevices(lab(pixel, locked), only)).toThrow(
      expect.objectContaining({
        code: 'DEVICE_AMBIGUOUS',
        message: '2 devices are attached: PIXEL, LOCKED [unauthorized]',
      }) as Error,
    );
  });

  it('takes all, whatever their state, so that none goes missing unseen', () => {
    expect(selectDevices(lab(pixel, emulator, locked), { ...only, all: true })).toEqual([
      pixel,
      emulator,
      locked,
    ]);
  });

  it('takes those named, in the order asked, each once', () => {
    const serials = ['emulator-5554', 'model:Pixel_8', 'PIXEL'];
    expect(selectDevices(lab(pixel, emulator), { ...only, serials })).toEqual([emulator, pixel]);
  });

  it('leaves out the excluded, before it counts', () => {
    expect(selectDevices(lab(pixel, emulator), { ...only, exclude: ['model:sdk'] })).toEqual([pixel]);
  });

  it('says that all are excluded where they are', () => {
    expect(() => selectDevices(lab(pixel), { ...only, all: true, exclude: ['PIXEL'] })).toThrow(
      'every attached device is excluded',
    );
  });

  it('says that nothing is attached', () => {
    expect(() => selectDevices(lab(), { ...only, all: true })).toThrow(
      expect.objectContaining({ code: 'DEVICE_NONE' }) as Error,
    );
  });

  it('names what is attached where the one asked for is not', () => {
    expect(() => selectDevices(lab(pixel), { ...only, serials: ['NEXUS'] })).toThrow(
      expect.objectContaining({
        code: 'DEVICE_NOT_FOUND',
        message: 'NEXUS: no such device is attached',
        hint: 'Attached: PIXEL.',
      }) as Error,
    );
  });

  it.each([
    ['10.0.0.7:5555', 'Nothing is attached. Over a network: `adb connect 10.0.0.7:5555`.'],
    ['model:7', 'Nothing is attached. Is USB debugging on, and the cable in?'],
  ])('says how %s would be attached', (serial, hint) => {
    expect(() => selectDevices(lab(), { ...only, serials: [serial] })).toThrow(
      expect.objectContaining({ code: 'DEVICE_NOT_FOUND', hint }) as Error,
    );
  });

  it('refuses a selector that several devices answer to, and shows their ports', () => {
    const clones = ['1', '2'].map((port) =>
      here({ serial: '0123456789ABCDEF', state: 'device', devpath: `usb:1-${port}`, transportId: port }),
    );
    expect(() => selectDevices(lab(...clones), { ...only, serials: ['0123456789ABCDEF'] })).toThrow(
      /usb:1-1.*usb:1-2/,
    );
    expect(selectDevices(lab(...clones), { ...only, serials: ['usb:1-2'] })).toEqual([clones[1]]);
  });
});

describe('selectDevices over several servers', () => {
  const one = at('rack1', { serial: 'PHONE', state: 'device', model: 'Pixel_8' });
  const two = at('rack2', { serial: 'PHONE', state: 'device' });
  const other = at('rack2', { serial: 'OTHER', state: 'device' });
  const down = {
    ...labServer('rack3'),
    error: new KhError('ADB_UNAVAILABLE', { server: 'rack3', message: 'no adb server at rack3:5037' }),
  };
  const both = lab(one, two, other);

  it('refuses a serial that is on two of them, and says how to tell them apart', () => {
    expect(() => selectDevices(both, { ...only, serials: ['PHONE'] })).toThrow(
      expect.objectContaining({
        code: 'DEVICE_AMBIGUOUS',
        message: 'PHONE: 2 attached devices answer to this: rack1/PHONE, rack2/PHONE',
        hint: 'Name its server, too: -s rack1/PHONE.',
      }) as Error,
    );
  });

  it.each([
    ['rack2/PHONE', two],
    ['rack1/model:Pixel_8', one],
    ['OTHER', other],
  ])('takes %s for the one that it names', (selector, device) => {
    expect(selectDevices(both, { ...only, serials: [selector] })).toEqual([device]);
  });

  it('does not look for a device at another server than the one that is named', () => {
    expect(() => selectDevices(both, { ...only, serials: ['rack1/OTHER'] })).toThrow('no such device');
  });

  it('leaves out the device of one server only', () => {
    expect(selectDevices(both, { ...only, all: true, exclude: ['rack1/PHONE'] })).toEqual([two, other]);
  });

  it('goes on with all that are there where a server is not reached', () => {
    expect(selectDevices({ ...both, lost: [down] }, { ...only, all: true })).toEqual([one, two, other]);
  });

  it('takes no device for the only one where a server is not reached', () => {
    expect(() => selectDevices({ devices: [one], lost: [down] }, only)).toThrow(
      expect.objectContaining({
        code: 'ADB_UNAVAILABLE',
        message:
          'rack3: no adb server at rack3:5037; so it is not known whether rack1/PHONE is the only device',
      }) as Error,
    );
  });

  it('says what is not known where the device asked for is not at those that are reached', () => {
    expect(() => selectDevices({ devices: [one], lost: [down] }, { ...only, serials: ['GONE'] })).toThrow(
      expect.objectContaining({
        code: 'DEVICE_NOT_FOUND',
        hint: 'Attached: rack1/PHONE. What is attached to rack3 is not known.',
      }) as Error,
    );
  });
});

describe('selectDevices in a lab whose file names its devices', () => {
  const mine = ['model:Pixel_8', 'LOCKED'];

  it('has no others', () => {
    const selection = { ...only, all: true, only: mine };
    expect(selectDevices(lab(pixel, emulator, locked), selection)).toEqual([pixel, locked]);
    expect(selectDevices(lab(pixel, emulator), { ...only, only: mine })).toEqual([pixel]);
  });

  it('takes another one that is named all the same', () => {
    const selection = { ...only, serials: ['emulator-5554'], only: mine };
    expect(selectDevices(lab(pixel, emulator), selection)).toEqual([emulator]);
  });

  it('points to the lab file where none of them is attached', () => {
    expect(() => selectDevices(lab(emulator), { ...only, all: true, only: mine })).toThrow(
      expect.objectContaining({
        code: 'DEVICE_NONE',
        hint: expect.stringContaining('kh config') as string,
      }) as Error,
    );
  });
});

describe('selectEach', () => {
  const error = (code: string) => expect.objectContaining({ code }) as Error;

  it('has an error in the place of one that is not there, so that the others are done', () => {
    const serials = ['NEXUS', 'PIXEL', 'emulator-5554'];
    const chosen = selectEach(lab(pixel, emulator), { ...only, serials });
    expect(chosen).toEqual([error('DEVICE_NOT_FOUND'), pixel, emulator]);
  });

  it('fails as a whole where none of them is there', () => {
    const serials = ['NEXUS', 'NOKIA'];
    expect(() => selectEach(lab(pixel), { ...only, serials })).toThrow(error('DEVICE_NOT_FOUND'));
  });

  it('counts a device once that is named twice', () => {
    expect(selectEach(lab(pixel, emulator), { ...only, serials: ['PIXEL', 'model:Pixel_8'] })).toEqual([
      pixel,
    ]);
  });

  it('is no milder with the only one that is named', () => {
    expect(() => selectEach(lab(pixel), { ...only, serials: ['NEXUS'] })).toThrow(error('DEVICE_NOT_FOUND'));
  });
});
