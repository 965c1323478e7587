import type { Palette } from './colour';
import { failureText, warningMessage, warningText } from './failure-text';
import type { Reporter, Write } from './reporter';

/** Says nothing but what failed; and, unless `errorsOnly`, what is to be warned of. */
export function quietReporter(
  write: Write,
  colours: Palette,
  { errorsOnly }: { errorsOnly: boolean },
): Reporter {
  return {
    emit: (event) => {
      if (event.type === 'device.failed') write(failureText(event.error, colours));
      if (event.type === 'build.output') write(event.text);
      if (event.type === 'warning' && !errorsOnly) write(warningText(warningMessage(event), colours));
    },
    close: () => Promise.resolve(),
  };
}
