import fc from 'fast-check';
import { parseDeviceList, type ListedDevice } from '../../../src/adb/device-list';
import { deviceLists } from '../../support/fuzz/arbitraries';

describe('parseDeviceList', () => {
  it.each<[what: string, line: string, expected: ListedDevice]>([
    [
      'a phone on USB',
      'PIXEL                  device usb:1-4 product:husky model:Pixel_8 device:husky transport_id:7',
      {
        serial: 'PIXEL',
        state: 'device',
        devpath: 'usb:1-4',
        product: 'husky',
        model: 'Pixel_8',
        device: 'husky',
        transportId: '7',
      },
    ],
    [
      'a device over TCP, which has no port',
      '192.168.1.5:5555       device product:husky model:Pixel_8 device:husky transport_id:12',
      {
        serial: '192.168.1.5:5555',
        state: 'device',
        product: 'husky',
        model: 'Pixel_8',
        device: 'husky',
        transportId: '12',
      },
    ],
    [
      'libusb, whose port has no prefix',
      'PIXEL                  offline 1-4.2 transport_id:7',
      { serial: 'PIXEL', state: 'offline', devpath: '1-4.2', transportId: '7' },
    ],
    [
      'no permissions, with the reason and a URL',
      'PIXEL                  no permissions (missing udev rules? user is in the plugdev group); see [http://developer.android.com/tools/device.html] usb:1-4 transport_id:7',
      {
        serial: 'PIXEL',
        state: 'no permissions',
        note: 'missing udev rules? user is in the plugdev group',
        devpath: 'usb:1-4',
        transportId: '7',
      },
    ],
    [
      'no permissions with nothing after the URL',
      'PIXEL                  no permissions (user in plugdev group; are your udev rules wrong?); see [http://developer.android.com/tools/device.html]',
      { serial: 'PIXEL', state: 'no permissions', note: 'user in plugdev group; are your udev rules wrong?' },
    ],
    [
      'no permissions of old',
      '????????????           no permissions usb:1-4',
      { serial: '????????????', state: 'no permissions', devpath: 'usb:1-4' },
    ],
    [
      'a device without a serial number',
      '(no serial number)     unauthorized usb:1-4 transport_id:7',
      { serial: '(no serial number)', state: 'unauthorized', devpath: 'usb:1-4', transportId: '7' },
    ],
    [
      'a serial with spaces',
      'My Phone 1             device usb:1-4 product:x model:y device:z transport_id:7',
      {
        serial: 'My Phone 1',
        state: 'device',
        devpath: 'usb:1-4',
        product: 'x',
        model: 'y',
        device: 'z',
        transportId: '7',
      },
    ],
    [
      'a server without transport ids',
      'PIXEL                  device usb:1-4 product:x model:y device:z',
      { serial: 'PIXEL', state: 'device', devpath: 'usb:1-4', product: 'x', model: 'y', device: 'z' },
    ],
    [
      'a product with spaces',
      'PIXEL                  device product:a b model:c transport_id:7',
      { serial: 'PIXEL', state: 'device', product: 'a b', model: 'c', transportId: '7' },
    ],
    ['the short list', 'PIXEL\tdevice', { serial: 'PIXEL', state: 'device' }],
    [
      'a state of a later adb',
      'PIXEL                  hovering transport_id:7',
      { serial: 'PIXEL', state: 'hovering', transportId: '7' },
    ],
  ])('reads %s', (_, line, expected) => {
    expect(parseDeviceList(`${line}\n`)).toEqual([expected]);
  });

  it('gives one entry a line, in order, and none for empty lines', () => {
    const list = parseDeviceList('B\tdevice\r\n\n  \nA\toffline\n');
    expect(list.map(({ serial, state }) => [serial, state])).toEqual([
      ['B', 'device'],
      ['A', 'offline'],
    ]);
    expect(parseDeviceList('')).toEqual([]);
  });

  it('never throws, and never gives a device without a serial or a state', () => {
    fc.assert(
      fc.property(deviceLists, (text) => {
        for (const { serial, state } of parseDeviceList(text)) {
          expect(serial).not.toBe('');
          expect(state).not.toBe('');
        }
      }),
    );
  });

  it('reads back whatever adb may print', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9._:[\]-]{1,30}$/);
    const serial = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' '));
    const state = fc.constantFrom(
      'device',
      'offline',
      'unauthorized',
      'authorizing',
      'connecting',
      'recovery',
      'sideload',
      'bootloader',
      'host',
      'detached',
    );
    const device: fc.Arbitrary<ListedDevice> = fc.record(
      {
        serial,
        state,
        devpath: fc.constantFrom('usb:1-4', '1-4', '3-1.4.2', 'usb:338690048X'),
        product: word,
        model: word,
        device: word,
        transportId: fc.nat().map(String),
      },
      { requiredKeys: ['serial', 'state'] },
    );
    fc.assert(
      fc.property(fc.array(device), (devices) => {
        expect(parseDeviceList(devices.map(printed).join(''))).toEqual(devices);
      }),
    );
  });
});

/** As `adb devices -l` prints it. */
function printed({ serial, state, devpath, product, model, device, transportId }: ListedDevice): string {
  const fields = [
    devpath,
    product && `product:${product}`,
    model && `model:${model}`,
    device && `device:${device}`,
    transportId && `transport_id:${transportId}`,
  ].filter((field) => field !== undefined);
  return `${[serial.padEnd(22), state, ...fields].join(' ')}\n`;
}
