import { errorReport, KhError, type ErrorReport } from '../../core/errors';
import type { DeviceOutcome } from '../../core/outcome';
import type { LabDevice } from '../lab/reach-lab';
import type { PulledHeaders } from '../pull-headers';
import { selectEach, type DeviceSelection } from '../select-devices';

type Outcome = DeviceOutcome<PulledHeaders>;

/** What came of a watch that has an end. */
export interface WatchResult {
  /** In the order in which the devices were met. */
  devices: Outcome[];
  /** What failed besides: servers whose devices were not met. */
  missed: ErrorReport[];
}

/** Gathers what comes of each device. */
export interface Outcomes {
  /** These were attached, meant or not. */
  saw(attached: readonly LabDevice[]): void;
  set(key: string, outcome: Outcome): void;
  /** The device went; its outcome, if it has one, stays. */
  lost(key: string, device: LabDevice): void;
  /** The device can't be had, or what was to be done for it failed. */
  failed(key: string, device: LabDevice, error: ErrorReport): void;
  serverGivenUp(error: KhError): void;
  /** @throws KhError DEVICE_NONE, or DEVICE_NOT_FOUND where none of several was there */
  result(): WatchResult;
}

export function createOutcomes(selection: DeviceSelection): Outcomes {
  const outcomes = new Map<string, Outcome>();
  const seen = new Map<string, LabDevice>();
  const lostServers: KhError[] = [];
  return {
    saw: (attached) => {
      for (const device of attached) seen.set(JSON.stringify([device.name, device.devpath]), device);
    },
    set: (key, outcome) => void outcomes.set(key, outcome),
    lost: (key, device) => {
      if (!outcomes.has(key)) outcomes.set(key, failedOutcome(device, errorReport(lostError(device.serial))));
    },
    failed: (key, device, error) => void outcomes.set(key, failedOutcome(device, error)),
    serverGivenUp: (error) => void lostServers.push(error),
    result: () => {
      const devices = [...outcomes.values()];
      const [noServer] = lostServers;
      if (noServer !== undefined && devices.length === 0) throw noServer;
      const missed = selection.serials.length > 0 ? [] : lostServers.map(errorReport);
      return { devices: [...devices, ...absent([...seen.values()], selection)], missed };
    },
  };
}

/** Those that were asked for by name and never came. */
function absent(devices: LabDevice[], selection: DeviceSelection): Outcome[] {
  const all = selection.serials.length === 0;
  return selectEach({ devices, lost: [] }, { ...selection, all }).flatMap((one) =>
    one instanceof KhError && one.code === 'DEVICE_NOT_FOUND' ? [missing(one)] : [],
  );
}

function missing(error: KhError): Outcome {
  const { serial = '' } = error;
  return { serial, name: serial, status: 'failed', milliseconds: 0, error: errorReport(error) };
}

function failedOutcome({ serial, name, server }: LabDevice, error: ErrorReport): Outcome {
  return { serial, server: server.name, name, status: 'failed', milliseconds: 0, error };
}

function lostError(serial: string): KhError {
  return new KhError('DEVICE_LOST', {
    serial,
    message: 'the device went away before its headers were ready',
    hint: 'Is the cable in? `kh devices` shows when it is back.',
  });
}
