import type { DeviceOutcome } from '../../core/outcome';
import { printable } from '../../core/printable';

/**
 * The workspaces that a pull made ready, one path a line. Whether the serial
 * stands in front depends on what was asked, never on what was attached.
 */
export function workspacePaths(
  outcomes: DeviceOutcome<{ workspace: string }>[],
  asked: { all: boolean; serial?: string[] | undefined },
): string {
  const several = asked.all || (asked.serial ?? []).length > 1;
  return outcomes
    .flatMap((outcome) => {
      if (outcome.status === 'failed') return [];
      const { workspace } = outcome.result;
      return `${several ? `${printable(outcome.serial)}\t` : ''}${workspace}\n`;
    })
    .join('');
}
