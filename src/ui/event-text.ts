import type { KhEvent, KnownBy, Verdict } from '../core/events';
import { humanBytes, humanDuration } from '../core/human';
import { printable } from '../core/printable';
import { unreachable } from '../core/unreachable';

/** `detail` shows with --verbose only. */
export interface EventText {
  level: 'notice' | 'detail';
  text: string;
}

/**
 * An event as a line for a log, without the serial. Progress, compiler output,
 * failures and warnings have forms of their own in each reporter and give undefined.
 */
export function eventText(event: KhEvent): EventText | undefined {
  switch (event.type) {
    case 'device.waiting':
      return notice(`${event.state}; waiting for it to settle`);
    case 'device.selected':
      return detail(event.model === undefined ? 'device is ready' : `device is ready (${event.model})`);
    case 'kernel.identified':
      return notice(`kernel ${event.release} (${event.machine})`);
    case 'privilege.raised':
      return notice(`going on as root (${event.privilege})`);
    case 'module.loaded':
      return notice(`loaded ${event.path}`);
    case 'module.unloaded':
      return notice(`unloaded ${event.path}`);
    case 'module.inserted':
      return notice(`loaded ${event.module}`);
    case 'module.removed':
      return notice(`unloaded ${event.module}`);
    case 'kernel.said':
      return notice(`kernel: ${event.text}${event.meaning === undefined ? '' : `  (${event.meaning})`}`);
    case 'headers.located':
      return notice(`headers at ${event.path}${event.bytes > 0 ? `, ${humanBytes(event.bytes)}` : ''}`);
    case 'pull.waiting':
      return notice(event.why);
    case 'archive.known':
      return notice(`nothing to transfer: ${KNOWN_BY[event.by]}`);
    case 'archive.received':
      return notice(
        `received ${humanBytes(event.bytes)} in ${humanDuration(event.milliseconds)} (md5 ${event.md5})`,
      );
    case 'tree.extracted':
      return notice(`extracted ${event.entries} entries, ${humanBytes(event.bytes)}`);
    case 'headers.ready':
      return notice(`headers of ${event.release} ready, ${verdictText(event.verdict)}`);
    case 'pack.finished':
      return notice(packedText(event));
    case 'source.preparing':
      return notice(`preparing ${event.tree} (${PREPARING[event.why]}; takes about a minute)`);
    case 'source.prepared':
      return notice(`prepared ${event.tree} in ${humanDuration(event.milliseconds)}`);
    case 'build.started':
      return notice(`building ${event.source}`);
    case 'build.finished':
      return notice(`built ${event.path} in ${humanDuration(event.milliseconds)}`);
    case 'image.searched':
      return notice(`searched ${humanBytes(event.bytes)} in ${humanDuration(event.milliseconds)}`);
    case 'image.searching':
    case 'build.output':
    case 'pack.progress':
    case 'pull.progress':
    case 'device.failed':
    case 'warning':
      return undefined;
    default:
      return unreachable(event);
  }
}

/** "verified against lab.json"; "unverified" with or without a manifest that does not know the kernel. */
export function verdictText({ trust, manifest }: Verdict): string {
  if (trust === 'trusted' && manifest !== undefined) return `verified against ${printable(manifest.path)}`;
  return trust === 'trusted' ? 'verified' : 'unverified (no manifest names it)';
}

/** "packed, 4.1 MB in 3.2 s" */
export function packedText({
  bytes,
  unchanged,
  milliseconds,
}: {
  bytes: number;
  unchanged: boolean;
  milliseconds: number;
}): string {
  return `${unchanged ? 'nothing changed' : 'packed'}, ${humanBytes(bytes)} in ${humanDuration(milliseconds)}`;
}

/** "packing 3400 of 6800 files (50%)" */
export function packingText({ entries, totalEntries }: { entries: number; totalEntries: number }): string {
  return `packing ${entries} of ${totalEntries} files (${Math.floor((entries / totalEntries) * 100)}%)`;
}

const KNOWN_BY: Record<KnownBy, string> = {
  'same-boot': 'the workspace is from this very boot',
  'device-md5': "the device's md5 names an archive that is here",
  'concurrent-pull': 'another pull has just brought the same archive',
};

const PREPARING = { first: 'first time', changed: 'it, the headers or the tools changed' };

function notice(text: string): EventText {
  return { level: 'notice', text: printable(text) };
}

function detail(text: string): EventText {
  return { level: 'detail', text: printable(text) };
}
