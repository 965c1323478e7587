import {
  boolean,
  integer,
  listOf,
  matching,
  Misfit,
  nonEmptyText,
  objectOf,
  oneKindOf,
  oneOf,
  recordOf,
  reject,
  shown,
  text,
  type Check,
} from '../../core/checks';
import { KhError } from '../../core/errors';
import { FAULT_POINTS, CONTENT_FAULTS, WIRE_FAULTS } from '../faults';
import {
  LAB_VERSION,
  MODULE_ERRORS,
  STATES,
  type ChangeDescription,
  type LabDescription,
} from './lab-description';

const MOST_CLONES = 10_000;

const absolutePath = matching(/^\/[^\0]*$/, 'an absolute path');
/** What a timer of node takes. */
const LONGEST_TIME = 2 ** 31 - 1;
const milliseconds = integer(0, LONGEST_TIME);

const archive: Check = (value, at) => {
  if (Buffer.isBuffer(value)) return;
  if (typeof value === 'string') nonEmptyText(value, at);
  else objectOf({ sample: sampleOptions }, ['sample'])(value, at);
};

const sampleOptions = objectOf({
  release: nonEmptyText,
  machine: nonEmptyText,
  extraHeaders: integer(0, 100_000),
  caseTwins: boolean,
});

const withArchive = { kind: text, archive, path: absolutePath };
const withModule = { ...withArchive, file: absolutePath, modulesDep: boolean };

const HEADERS: Record<string, Check> = {
  'built-in': objectOf(withArchive),
  denied: objectOf({ ...withArchive, by: oneOf(['selinux', 'mode']) }),
  module: objectOf({ ...withModule, loaded: boolean }),
  'module-broken': objectOf({ ...withModule, error: oneOf(MODULE_ERRORS) }),
  absent: objectOf({ kind: text }),
};

const headers = oneKindOf('kind', HEADERS);

const fault = objectOf(
  {
    on: oneOf(FAULT_POINTS),
    kind: oneOf([...WIRE_FAULTS, ...CONTENT_FAULTS]),
    at: integer(0),
    match: text,
    skip: integer(0),
    times: integer(1),
    forMs: milliseconds,
  },
  ['on', 'kind'],
);

const fileObject = objectOf({
  text,
  base64: matching(/^[A-Za-z0-9+/]*={0,2}$/, 'base64'),
  from: nonEmptyText,
  link: nonEmptyText,
  directory: oneOf([true]),
  mode: matching(/^[0-7]{3,4}$/, 'permission bits in base 8, such as "0444"'),
  owner: oneOf(['root', 'shell']),
  denied: boolean,
});

const file: Check = (value, at) => {
  if (value !== null && typeof value !== 'string') fileObject(value, at);
};

const kernel = objectOf({ release: nonEmptyText, version: nonEmptyText, machine: nonEmptyText });

const changeTimes = { afterMs: milliseconds, everyMs: integer(1, LONGEST_TIME), forMs: milliseconds };
const anyChange = { do: text, ...changeTimes, apartMs: milliseconds };

const CHANGES: Record<ChangeDescription['do'], Check> = {
  vanish: objectOf(anyChange, ['afterMs']),
  hang: objectOf(anyChange, ['afterMs']),
  state: objectOf({ ...anyChange, state: oneOf(STATES) }, ['afterMs', 'state']),
  fault: objectOf({ ...anyChange, fault }, ['afterMs', 'fault']),
  reboot: objectOf({ ...anyChange, into: listOf(objectOf({ kernel, headers })) }, ['afterMs']),
  rename: objectOf({ ...anyChange, serials: listOf(nonEmptyText) }, ['afterMs', 'serials']),
};

const change = oneKindOf('do', CHANGES);

const device = objectOf(
  {
    serial: nonEmptyText,
    count: integer(1, MOST_CLONES),
    model: text,
    product: text,
    device: text,
    android: text,
    sdk: integer(1, 1000),
    serialno: text,
    connection: oneOf(['usb', 'tcp']),
    state: oneOf(STATES),
    readyAfterMs: milliseconds,
    kernel,
    headers,
    changes: listOf(change),
    features: listOf(matching(/^[^,\s]+$/, 'a word')),
    user: oneOf(['shell', 'root']),
    adbRoot: oneOf(['allowed', 'refused']),
    su: oneOf(['none', 'aosp', 'magisk', 'magisk-refused']),
    md5sum: boolean,
    speed: integer(1),
    latency: milliseconds,
    faults: listOf(fault),
    properties: recordOf(text),
    files: recordOf(file, absolutePath),
  },
  ['serial'],
);

const lab = objectOf(
  {
    version: oneOf([LAB_VERSION]),
    adb: objectOf({
      version: integer(1, 0xffff),
      features: listOf(nonEmptyText),
      restarts: objectOf(changeTimes, ['afterMs']),
    }),
    devices: listOf(device),
  },
  ['devices'],
);

/**
 * A lab description, if it is one.
 *
 * @throws KhError USAGE with the place that is wrong, such as `devices[2].headers.kind`
 */
export function validateLab(value: unknown): LabDescription {
  try {
    lab(value, '');
    const description = value as LabDescription;
    refuseTwins(description);
    return description;
  } catch (error) {
    throw error instanceof Misfit ? notValid(error.message) : error;
  }
}

/** The error for a lab that is not valid; `problem` begins with the place. */
export function notValid(problem: string): KhError {
  return new KhError('USAGE', {
    message: `the lab is not valid: ${problem}`,
    hint: 'docs/simulator.md lists what a lab file may hold.',
  });
}

function refuseTwins({ devices }: LabDescription): void {
  const places = new Map<string, number>();
  for (const [index, { serial }] of devices.entries()) {
    const earlier = places.get(serial);
    if (earlier !== undefined)
      reject(`devices[${index}].serial`, `is that of devices[${earlier}]: ${shown(serial)}`);
    places.set(serial, index);
  }
}
