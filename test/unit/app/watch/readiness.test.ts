import { createReadyPlaces } from '../../../../src/app/watch/readiness';

const BOOT = { device: 'PIXEL', mark: 'boot 1' };
const NEXT_BOOT = { device: 'PIXEL', mark: 'boot 2' };

describe('a workspace that is ready', () => {
  it('is news once for each boot, and again when the device had gone', () => {
    const places = createReadyPlaces();
    expect(places.note('usb', BOOT)).toBe(true);
    expect(places.note('usb', BOOT)).toBe(false);
    expect(places.note('usb', NEXT_BOOT)).toBe(true);
    places.gone('usb');
    expect(places.note('usb', NEXT_BOOT)).toBe(true);
  });

  it('has had its command once that was done, at whichever place the phone is seen', () => {
    const places = createReadyPlaces();
    places.note('usb', BOOT);
    expect(places.isDone(BOOT)).toBe(false);
    places.done('usb', BOOT.mark);
    places.note('tcp', BOOT);
    places.gone('usb');
    places.note('usb', BOOT);
    expect(places.isDone(BOOT)).toBe(true);
    expect(places.isDone(NEXT_BOOT)).toBe(false);
    expect(places.isDone({ ...BOOT, device: 'ANOTHER' })).toBe(false);
  });

  it('has not, where the device rebooted while the command ran', () => {
    const places = createReadyPlaces();
    places.note('usb', BOOT);
    places.note('usb', NEXT_BOOT);
    places.done('usb', BOOT.mark);
    expect(places.isDone(NEXT_BOOT)).toBe(false);
  });

  it('is forgotten with its device', () => {
    const places = createReadyPlaces();
    places.note('usb', BOOT);
    places.done('usb', BOOT.mark);
    places.forget('usb');
    expect(places.isDone(BOOT)).toBe(false);
    expect(places.note('usb', BOOT)).toBe(true);
  });
});
