import type { ErrorReport } from '../../core/errors';
import type { KhEvent } from '../../core/events';
import type { PulledHeaders } from '../pull-headers';

interface OfServer {
  /** The name of the adb server: where it listens, or what the lab file calls it. */
  server: string;
}

interface OfDevice extends OfServer {
  serial: string;
}

/** The steps of a pull that are told as they are, with --verbose. */
export type PullStep = Exclude<
  KhEvent,
  { type: 'warning' | 'device.failed' | 'headers.ready' | 'pull.progress' }
>;

/**
 * What a watch tells. An event about a device carries its serial and its
 * server; docs/json.md is the reference.
 */
export type WatchEvent =
  | {
      type: 'watch.started';
      servers: { name: string; address: string }[];
      /** KH_HOME */
      store: string;
      /** Of kh. */
      version: string;
    }
  | (OfServer & {
      type: 'server.connected';
      /** Of adb's protocol. */
      version: number;
    })
  | (OfServer & { type: 'server.lost'; error: ErrorReport; retryInMilliseconds?: number })
  | (OfDevice & { type: 'device.appeared'; state: string; devpath?: string; model?: string })
  | (OfDevice & { type: 'device.vanished' })
  | (OfDevice & { type: 'device.unusable'; state: string; error: ErrorReport; news: boolean })
  | (OfDevice & { type: 'pull.step'; step: PullStep })
  | (OfDevice & { type: 'headers.ready'; milliseconds: number; result: PulledHeaders })
  | (OfDevice & {
      type: 'device.failed';
      error: ErrorReport;
      /** Counts the failures since the last success. */
      attempt: number;
      /** Left out where there will be no other attempt before the device is connected anew. */
      retryInMilliseconds?: number;
      /** False where the same was told before, and nothing has changed since. */
      news: boolean;
    })
  | (OfDevice & { type: 'exec.started'; workspace: string; pid: number })
  | (OfDevice & {
      type: 'exec.finished';
      workspace: string;
      milliseconds: number;
      /** Left out where a signal ended the command, or where it could not be run. */
      exitCode?: number;
      signal?: string;
      timedOut: boolean;
      error?: ErrorReport;
    })
  | (OfDevice & { type: 'warning'; message: string })
  | { type: 'events.dropped'; count: number }
  | { type: 'watch.ended'; status: 'ok' | 'partial' | 'failed'; exitCode: number; error?: ErrorReport };

export type Tell = (event: WatchEvent) => void;
