import { CLIError } from '@oclif/core/errors';
import * as Flags from '@oclif/core/flags';
import { parseDuration } from '../../core/duration';

/** A length of time, in milliseconds: 90, 90s, 5m, 1.5h, 500ms. */
export const durationFlag = (help: {
  summary: string;
  helpGroup?: string;
  env?: string;
  dependsOn?: string[];
}) =>
  Flags.custom<number>({
    parse: (input) => {
      const milliseconds = parseDuration(input);
      if (milliseconds !== undefined) return Promise.resolve(milliseconds);
      throw new CLIError(`${input} is no length of time: give seconds, or 500ms, 90s, 5m, 1h`);
    },
    helpValue: 'TIME',
    ...help,
  })();
