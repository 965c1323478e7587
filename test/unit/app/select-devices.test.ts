import type { ListedDevice } from '../../../src/adb/device-list';
import { selectDevices, selectEach } from '../../../src/app/select-devices';

const pixel: ListedDevice = { serial: 'PIXEL', state: 'device', model: 'Pixel_8', transportId: '1' };
const emulator: ListedDevice = { serial: 'emulator-5554', state: 'device', model: 'sdk', transportId: '2' };
const locked: ListedDevice = { serial: 'LOCKED', state: 'unauthorized', transportId: '3' };

const only = { serials: [] as string[], all: false, exclude: [] as string[] };

describe('selectDevices', () => {
  it('takes the only device without being told', () => {
    expect(selectDevices([pixel], only)).toEqual([pixel]);
  });

  it('asks to choose where there are several, and names them', () => {
    expect(() => selectDevices([pixel, locked], only)).toThrow(
      expect.objectContaining({
        code: 'DEVICE_AMBIGUOUS',
        message: '2 devices are attached: PIXEL, LOCKED [unauthorized]',
      }) as Error,
    );
  });

  it('takes all, whatever their state, so that none goes missing unseen', () => {
    expect(selectDevices([pixel, emulator, locked], { ...only, all: true })).toEqual([
      pixel,
      emulator,
      locked,
    ]);
  });

  it('takes those named, in the order asked, each once', () => {
    const serials = ['emulator-5554', 'model:Pixel_8', 'PIXEL'];
    expect(selectDevices([pixel, emulator], { ...only, serials })).toEqual([emulator, pixel]);
  });

  it('leaves out the excluded, before it counts', () => {
    expect(selectDevices([pixel, emulator], { ...only, exclude: ['model:sdk'] })).toEqual([pixel]);
  });

  it('says that all are excluded where they are', () => {
    expect(() => selectDevices([pixel], { ...only, all: true, exclude: ['PIXEL'] })).toThrow(
      'every attached device is excluded',
    );
  });

  it('says that nothing is attached', () => {
    expect(() => selectDevices([], { ...only, all: true })).toThrow(
      expect.objectContaining({ code: 'DEVICE_NONE' }) as Error,
    );
  });

  it('names what is attached where the one asked for is not', () => {
    expect(() => selectDevices([pixel], { ...only, serials: ['NEXUS'] })).toThrow(
      expect.objectContaining({
        code: 'DEVICE_NOT_FOUND',
        message: 'NEXUS: no such device is attached',
        hint: 'Attached: PIXEL.',
      }) as Error,
    );
  });

  it('refuses a selector that several devices answer to, and shows their ports', () => {
    const clones: ListedDevice[] = [
      { serial: '0123456789ABCDEF', state: 'device', devpath: 'usb:1-1', transportId: '1' },
      { serial: '0123456789ABCDEF', state: 'device', devpath: 'usb:1-2', transportId: '2' },
    ];
    expect(() => selectDevices(clones, { ...only, serials: ['0123456789ABCDEF'] })).toThrow(
      /usb:1-1.*usb:1-2/,
    );
    expect(selectDevices(clones, { ...only, serials: ['usb:1-2'] })).toEqual([clones[1]]);
  });
});

describe('selectEach', () => {
  const error = (code: string) => expect.objectContaining({ code }) as Error;

  it('has an error in the place of one that is not there, so that the others are done', () => {
    const serials = ['NEXUS', 'PIXEL', 'emulator-5554'];
    const chosen = selectEach([pixel, emulator], { ...only, serials });
    expect(chosen).toEqual([error('DEVICE_NOT_FOUND'), pixel, emulator]);
  });

  it('fails as a whole where none of them is there', () => {
    const serials = ['NEXUS', 'NOKIA'];
    expect(() => selectEach([pixel], { ...only, serials })).toThrow(error('DEVICE_NOT_FOUND'));
  });

  it('counts a device once that is named twice', () => {
    expect(selectEach([pixel, emulator], { ...only, serials: ['PIXEL', 'model:Pixel_8'] })).toEqual([pixel]);
  });

  it('is no milder with the only one that is named', () => {
    expect(() => selectEach([pixel], { ...only, serials: ['NEXUS'] })).toThrow(error('DEVICE_NOT_FOUND'));
  });
});
