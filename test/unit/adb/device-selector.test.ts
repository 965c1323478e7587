import type { ListedDevice } from '../../../src/adb/device-list';
import { matchesSelector } from '../../../src/adb/device-selector';

const usb: ListedDevice = {
  serial: 'PIXEL',
  state: 'device',
  devpath: 'usb:1-4',
  product: 'husky',
  model: 'Pixel_8_Pro',
  device: 'shiba',
};
const net: ListedDevice = { serial: '192.168.1.5:5555', state: 'device', product: 'husky' };
const v6: ListedDevice = { serial: '[fe80::1]:5555', state: 'device' };

describe('matchesSelector', () => {
  it.each<[selector: string, device: ListedDevice]>([
    ['PIXEL', usb],
    ['usb:1-4', usb],
    ['product:husky', usb],
    ['model:Pixel_8_Pro', usb],
    ['device:shiba', usb],
    ['192.168.1.5:5555', net],
    ['192.168.1.5', net],
    ['tcp:192.168.1.5', net],
    ['udp:192.168.1.5:5555', net],
    ['[fe80::1]:5555', v6],
    ['fe80::1', v6],
  ])('takes %s for the device it means', (selector, device) => {
    expect(matchesSelector(device, selector)).toBe(true);
  });

  it.each<[selector: string, device: ListedDevice]>([
    ['', usb],
    ['PIXE', usb],
    ['pixel', usb],
    ['1-4', usb],
    ['tcp:PIXEL', usb],
    ['product:', net],
    ['model:', net],
    ['product:hus', usb],
    ['model:Pixel 8 Pro', usb],
    ['192.168.1.5:5556', net],
    ['192.168.1.50', net],
    ['usb:1-4', net],
    ['model:undefined', net],
  ])('does not take %s for another device', (selector, device) => {
    expect(matchesSelector(device, selector)).toBe(false);
  });
});
