import { deviceName } from '../core/device-name';
import type { KhEvent } from '../core/events';
import { printable } from '../core/printable';
import type { Palette } from './colour';
import { eventText } from './event-text';
import { failureText, warningMessage, warningText } from './failure-text';
import type { Reporter, Write } from './reporter';
import { advanceTransfer, transferText, type Transfer } from './transfer-rate';

export interface PlainOptions {
  write: Write;
  colours: Palette;
  /** Also what matters only when looking for a fault. */
  verbose: boolean;
  /** Milliseconds of any steady clock. */
  now: () => number;
}

/**
 * One line for each notable event, with the device in front: for logs, and
 * for terminals that cannot redraw. A long transfer speaks up every quarter,
 * and no more often than every two seconds.
 */
export function plainLines({ write, colours, verbose, now }: PlainOptions): Reporter {
  const progress = progressTeller(now);
  const line = (device: { serial: string; server?: string }, text: string) =>
    write(`${colours.dim(`${printable(deviceName(device))}:`)} ${text}\n`);
  const emit = (event: KhEvent) => {
    if (event.type === 'build.output') {
      write(event.text);
    } else if (event.type === 'device.failed') {
      write(failureText(event.error, colours));
    } else if (event.type === 'warning') {
      write(warningText(warningMessage(event), colours));
    } else if (event.type === 'pull.progress') {
      const text = progress(event);
      if (text !== undefined) line(event, text);
    } else {
      const told = eventText(event);
      if (told !== undefined && (verbose || told.level === 'notice')) line(event, told.text);
    }
  };
  return { emit, close: () => Promise.resolve() };
}

const QUIET_FOR = 2_000;
const STEP = 0.25;

/** Says which progress reports are worth a line of a log. */
function progressTeller(now: () => number) {
  const told = new Map<string, { transfer: Transfer; saidAt: number; saidBytes: number }>();
  return (event: {
    serial: string;
    server?: string;
    bytes: number;
    totalBytes: number;
  }): string | undefined => {
    const time = now();
    const device = deviceName(event);
    const before = told.get(device);
    const transfer = advanceTransfer(before?.transfer, event, time);
    const isNew = before === undefined || transfer.startedAt === time;
    const saidAt = isNew ? time : before.saidAt;
    const saidBytes = isNew ? 0 : before.saidBytes;
    const due = time - saidAt >= QUIET_FOR && event.bytes - saidBytes >= STEP * event.totalBytes;
    told.set(device, {
      transfer,
      saidAt: due ? time : saidAt,
      saidBytes: due ? event.bytes : saidBytes,
    });
    return due ? transferText(transfer, time) : undefined;
  };
}
