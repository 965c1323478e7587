import { deviceName } from '../core/device-name';
import type { KhEvent } from '../core/events';
import { printable } from '../core/printable';
import type { Palette } from './colour';
import { eventText, packingText } from './event-text';
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
  const isDue = milestones(now);
  const line = (device: { serial: string; server?: string }, text: string) =>
    write(`${colours.dim(`${printable(deviceName(device))}:`)} ${text}\n`);
  const emit = (event: KhEvent) => {
    if (event.type === 'build.output') {
      write(event.text);
    } else if (event.type === 'device.failed') {
      write(failureText(event.error, colours));
    } else if (event.type === 'warning') {
      write(warningText(warningMessage(event), colours));
    } else if (event.type === 'pull.progress' || event.type === 'image.searching') {
      const text = progress(event);
      if (text !== undefined) line(event, text);
    } else if (event.type === 'pack.progress') {
      if (isDue(deviceName(event), event.entries, event.totalEntries)) line(event, packingText(event));
    } else {
      const told = eventText(event);
      if (told !== undefined && (verbose || told.level === 'notice')) line(event, told.text);
    }
  };
  return { emit, close: () => Promise.resolve() };
}

const QUIET_FOR = 2_000;
const STEP = 0.25;

/** Says which progress reports of a transfer are worth a line of a log. */
function progressTeller(now: () => number) {
  const isDue = milestones(now);
  const transfers = new Map<string, Transfer>();
  return (event: { serial: string; server?: string; bytes: number; totalBytes: number }) => {
    const device = deviceName(event);
    const transfer = advanceTransfer(transfers.get(device), event, now());
    transfers.set(device, transfer);
    return isDue(device, event.bytes, event.totalBytes) ? transferText(transfer, now()) : undefined;
  };
}

/** Whether so much of some work is worth a line: the first report is none, and one that went back begins anew. */
function milestones(now: () => number) {
  const said = new Map<string, { at: number; done: number; latest: number }>();
  return (name: string, done: number, total: number): boolean => {
    const time = now();
    const before = said.get(name);
    const last = before === undefined || done < before.latest ? { at: time, done: 0 } : before;
    const due = time - last.at >= QUIET_FOR && done - last.done >= STEP * total;
    said.set(name, { ...(due ? { at: time, done } : last), latest: done });
    return due;
  };
}
