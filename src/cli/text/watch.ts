import type { WatchEvent } from '../../app/watch/watch-events';
import type { ErrorReport } from '../../core/errors';
import { deviceName } from '../../core/device-name';
import { humanDuration } from '../../core/human';
import { printable } from '../../core/printable';
import { unreachable } from '../../core/unreachable';
import type { Palette } from '../../ui/colour';
import { eventText, verdictText } from '../../ui/event-text';

/**
 * An event of a watch as a line for people, without the newline; undefined
 * for what is of use to programs only, and for what they have been told.
 *
 * @param several whether devices have to be told apart by their servers, too
 */
export function watchLine(
  event: WatchEvent,
  { colours, several }: { colours: Palette; several: boolean },
): string | undefined {
  const said = textOf(event, colours);
  if (said === undefined) return undefined;
  const text = printable(said.text);
  const line = said.paint === undefined ? text : said.paint(text);
  if (!('server' in event)) return line;
  const who = !('serial' in event) ? event.server : several ? deviceName(event) : event.serial;
  return `${colours.dim(`${printable(who)}:`)} ${line}`;
}

interface Said {
  text: string;
  paint?: (text: string) => string;
}

function textOf(event: WatchEvent, { red, green, yellow }: Palette): Said | undefined {
  switch (event.type) {
    case 'watch.started':
      return {
        text: `watching ${event.servers.map(({ name }) => name).join(', ')}; workspaces go to ${event.store}`,
      };
    case 'server.connected':
      return { text: 'the adb server is there' };
    case 'server.lost':
      return { text: `${explained(event.error)}${againText(event.retryInMilliseconds)}`, paint: red };
    case 'device.appeared':
      return {
        text: `appeared${event.model === undefined ? '' : ` (${event.model})`}${stateText(event.state)}`,
      };
    case 'device.vanished':
      return { text: 'gone' };
    case 'device.unusable':
      return event.news ? { text: explained(event.error, event), paint: yellow } : undefined;
    case 'pull.step': {
      const text = eventText(event.step)?.text;
      return text === undefined ? undefined : { text };
    }
    case 'headers.ready':
      return { text: readyText(event), paint: green };
    case 'device.failed':
      return event.news
        ? {
            text: `failed: ${explained(event.error, event)}${againText(event.retryInMilliseconds)}`,
            paint: red,
          }
        : undefined;
    case 'exec.started':
      return undefined;
    case 'exec.finished':
      return event.error === undefined
        ? { text: `the command is done, in ${humanDuration(event.milliseconds)}` }
        : { text: explained(event.error, event), paint: red };
    case 'warning':
      return { text: `warning: ${event.message}`, paint: yellow };
    case 'events.dropped':
      return { text: `${event.count} lines were left out: they were not read fast enough`, paint: yellow };
    case 'watch.ended':
      return { text: 'ended' };
    default:
      return unreachable(event);
  }
}

function readyText({ result, milliseconds }: Extract<WatchEvent, { type: 'headers.ready' }>): string {
  const { release, workspace, verdict, transferred } = result;
  const how = transferred ? `pulled in ${humanDuration(milliseconds)}` : 'nothing to transfer';
  return `headers of ${release} ready in ${workspace}: ${how}, ${verdictText(verdict)}`;
}

/** What happened and what to do, on one line; it begins with the device's name already. */
function explained({ message, hint }: ErrorReport, device?: { server: string; serial: string }): string {
  const names = device === undefined ? [] : [deviceName(device), device.serial];
  const prefix = names.map((name) => `${printable(name)}: `).find((start) => message.startsWith(start)) ?? '';
  const reason = message.slice(prefix.length);
  return hint === undefined ? reason : `${reason}. ${hint}`;
}

/** A pause that does not grow any more. */
const LONG = 600_000;

function againText(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '';
  const when = humanDuration(milliseconds);
  return milliseconds < LONG
    ? ` Again in ${when}, then less and less often.`
    : ` Again every ${when}, without a word until something changes.`;
}

function stateText(state: string): string {
  return state === 'device' ? '' : `, ${state}`;
}
