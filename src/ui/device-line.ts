import type { KhEvent, Verdict } from '../core/events';
import { humanBytes, humanDuration } from '../core/human';
import { printable } from '../core/printable';
import { unreachable } from '../core/unreachable';
import { packedText, packingText } from './event-text';
import { padTo, textWidth } from './text-width';
import { advanceTransfer, transferText, type Transfer } from './transfer-rate';

/** What the task list knows of one device: the folded events so far. */
export interface DeviceLine {
  state: 'working' | 'done' | 'failed';
  phase: string;
  model?: string;
  release?: string;
  /** While bytes flow. */
  transfer?: Transfer;
  /** How the archive came here, for the closing line. */
  came?: string;
}

export const FRESH_LINE: DeviceLine = { state: 'working', phase: 'asking the device' };

/**
 * The line after one more event.
 *
 * @param now milliseconds of any steady clock
 */
export function foldEvent(line: DeviceLine, event: KhEvent, now: number): DeviceLine {
  const { transfer, ...still } = line;
  switch (event.type) {
    case 'device.waiting':
      return { ...still, phase: `${event.state}, waiting for it to settle` };
    case 'device.selected':
      return event.model === undefined ? line : { ...line, model: event.model };
    case 'kernel.identified':
      return { ...still, release: event.release, phase: 'looking for its headers' };
    case 'privilege.raised':
      return { ...still, phase: `going on as root (${event.privilege})` };
    case 'module.loaded':
      return { ...still, phase: `loaded ${event.path}` };
    case 'module.inserted':
      return { ...still, state: 'done', phase: `loaded ${event.module}` };
    case 'module.removed':
      return { ...still, state: 'done', phase: `unloaded ${event.module}` };
    case 'headers.located':
      return { ...still, phase: 'asking for the archive' };
    case 'pull.progress':
      return { ...still, phase: 'pulling', transfer: advanceTransfer(transfer, event, now) };
    case 'pull.waiting':
      return { ...still, phase: event.why };
    case 'archive.known':
      return { ...still, phase: 'already here', came: 'nothing to transfer' };
    case 'archive.received': {
      const came = `${humanBytes(event.bytes)} in ${humanDuration(event.milliseconds)}`;
      return { ...still, phase: 'verifying and extracting', came };
    }
    case 'tree.extracted':
      return { ...still, phase: 'writing the workspace' };
    case 'headers.ready':
      return { ...still, state: 'done', phase: trustText(event.verdict), release: event.release };
    case 'pack.progress':
      return { ...still, phase: packingText(event) };
    case 'pack.finished':
      return { ...still, state: 'done', phase: packedText(event) };
    case 'source.preparing':
      return { ...still, state: 'working', phase: 'preparing the kernel source (about a minute)' };
    case 'source.prepared':
      return { ...still, phase: 'kernel source is ready' };
    case 'build.started':
      return { ...still, state: 'working', phase: `building ${event.source}` };
    case 'build.finished':
      return { ...still, state: 'done', phase: `built in ${humanDuration(event.milliseconds)}` };
    case 'image.searching':
      return { ...still, phase: 'searching', transfer: advanceTransfer(transfer, event, now) };
    case 'image.searched':
      return { ...still, state: 'done', phase: `searched in ${humanDuration(event.milliseconds)}` };
    case 'device.failed':
      return { ...still, state: 'failed', phase: 'failed' };
    case 'module.unloaded':
    case 'kernel.said':
    case 'build.output':
    case 'warning':
      return line;
    default:
      return unreachable(event);
  }
}

/** Room for a transfer's whole text, and for how a device ended: the column of the releases stays in place. */
const PHASE_WIDTH: Record<DeviceLine['state'], number> = { working: 52, done: 31, failed: 31 };

/**
 * The line as shown: who, what is going on, and which kernel. The kernel comes
 * last, as a narrow terminal cuts lines at their end.
 *
 * @param column columns for the name: the widest `whoWidth` of the list
 */
export function lineText(device: string, line: DeviceLine, now: number, column: number): string {
  const { phase, transfer, release, state } = line;
  const doing = transfer === undefined ? phase : `${phase} ${transferText(transfer, now)}`;
  const what = printable(state === 'done' && line.came !== undefined ? `${line.came}, ${doing}` : doing);
  const start = `${padTo(whoText(device, line), column)}  `;
  return release === undefined
    ? start + what
    : `${start}${padTo(what, PHASE_WIDTH[state])}  ${printable(release)}`;
}

/** "0A04 (Pixel_8)" */
function whoText(device: string, { model }: DeviceLine): string {
  return printable(model === undefined ? device : `${device} (${model})`);
}

/** Columns that the name of a device takes in its line. */
export function whoWidth(device: string, line: DeviceLine): number {
  return textWidth(whoText(device, line));
}

/** Short, as the line has to hold the kernel's release, too. */
function trustText({ trust }: Verdict): string {
  return trust === 'trusted' ? 'verified' : 'unverified';
}
