import type { Build } from '../../app/build-module';
import type { DeviceOutcome } from '../../core/outcome';
import { devicePaths } from './pulled';

/** The modules that were built, one path a line; behind the serial as `devicePaths` has it. */
export function builtPaths(
  outcomes: DeviceOutcome<Build>[],
  asked: { all: boolean; serial?: string[] | undefined },
): string {
  const perModule = outcomes.flatMap((outcome) =>
    outcome.status === 'failed'
      ? []
      : outcome.result.modules.map(({ path }) => ({ ...outcome, result: { path } })),
  );
  return devicePaths(perModule, asked, ({ path }) => path);
}

/** The same of a build that no device took part in. */
export function modulePaths({ modules }: Build): string {
  return modules.map(({ path }) => `${path}\n`).join('');
}
