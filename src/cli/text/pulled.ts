import type { DeviceOutcome } from '../../core/outcome';
import { printable } from '../../core/printable';

/**
 * What became ready on each device, one path a line. Whether the device stands
 * in front depends on what was asked, never on what was attached.
 */
export function devicePaths<T>(
  outcomes: DeviceOutcome<T>[],
  asked: { all: boolean; serial?: string[] | undefined },
  pathOf: (result: T) => string,
): string {
  const several = asked.all || (asked.serial ?? []).length > 1;
  return outcomes
    .flatMap((outcome) => {
      if (outcome.status === 'failed') return [];
      return `${several ? `${printable(outcome.name)}\t` : ''}${pathOf(outcome.result)}\n`;
    })
    .join('');
}
