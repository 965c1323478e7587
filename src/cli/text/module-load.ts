import type { DeviceOutcome } from '../../core/outcome';
import { printable } from '../../core/printable';
import type { Palette } from '../../ui/colour';

/** A line of the kernel's log, with its explanation where there is one. */
export interface SaidLine {
  seconds?: number;
  text: string;
  meaning?: string;
  whatToDo?: string;
}

/**
 * What the kernel said as it took or gave up a module: each line as dmesg has
 * it, each known one explained below. A failure has been told as it came.
 *
 * @param done "loaded" or "unloaded"
 */
export function moduleReport(
  outcomes: DeviceOutcome<{ module: string; log: SaidLine[] }>[],
  done: string,
  colours: Palette,
): string {
  return outcomes
    .flatMap((outcome) => {
      if (outcome.status === 'failed') return [];
      const { module, log } = outcome.result;
      const said = log.length === 0 ? ', and the kernel said nothing' : '';
      return [
        `${printable(outcome.name)}: ${colours.bold(module)} ${done}${said}\n`,
        ...log.flatMap((line) => saidLines(line, colours)),
      ];
    })
    .join('');
}

function saidLines({ seconds, text, meaning, whatToDo }: SaidLine, { dim }: Palette): string[] {
  const time = seconds === undefined ? '' : `${dim(`[${seconds.toFixed(6).padStart(12)}]`)} `;
  const explanation = [meaning, whatToDo].flatMap((part) => (part === undefined ? [] : [`      ${part}\n`]));
  return [`  ${time}${printable(text)}\n`, ...explanation];
}
