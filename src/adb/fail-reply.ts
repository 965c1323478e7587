import { KhError } from '../core/errors';
import { stateError } from './device-state';
import type { FailReply } from './smart-socket';

/** What adb's refusals say of the device's state: the first phrase found decides. */
const STATES: [phrase: RegExp, state: string][] = [
  [/device unauthorized/, 'unauthorized'],
  [/device still authorizing/, 'authorizing'],
  [/device offline/, 'offline'],
  [/device still connecting/, 'connecting'],
  [/insufficient permissions|no permissions/, 'no permissions'],
];

const GONE = /^no device with transport id|^device '[^]*' not found$|^no (?:devices|emulators)/;

/**
 * A refusal as the error it is. Every device that kh asks for was listed a
 * moment ago, so one that is "not found" was lost.
 *
 * @returns DEVICE_LOST, DEVICE_AMBIGUOUS, an error of the device's state, or ADB_PROTOCOL with the text
 * @see AOSP packages/modules/adb/transport.cpp, acquire_one_transport
 */
export function failError({ service, text }: FailReply, serial?: string): KhError {
  const state = serial === undefined ? undefined : STATES.find(([phrase]) => phrase.test(text))?.[1];
  if (serial !== undefined && state !== undefined) return stateError({ serial, state });
  if (GONE.test(text)) {
    return new KhError('DEVICE_LOST', {
      serial,
      message: `the device is gone: ${text}`,
      hint: 'It was unplugged, or restarted. `kh devices` shows when it is back.',
    });
  }
  if (text.startsWith('more than one ')) {
    return new KhError('DEVICE_AMBIGUOUS', {
      serial,
      message: text,
      hint: 'Name one by the port it is in: -s usb:…, as `kh devices --json` shows it.',
    });
  }
  return new KhError('ADB_PROTOCOL', {
    serial,
    message: `adb refused "${brief(service)}": ${text}`,
    details: { service: brief(service) },
  });
}

/** A service for messages: what it is, and how its command line begins. */
export function brief(service: string): string {
  const start = service.slice(0, 40).split('\n', 1)[0] ?? '';
  return start.length < service.length ? `${start}…` : start;
}
