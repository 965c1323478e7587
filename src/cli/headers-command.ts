import type { InferredFlags } from '@oclif/core/interfaces';
import type { Look } from '../app/headers/headers-index';
import type { DeviceOutcome } from '../core/outcome';
import { printable } from '../core/printable';
import type { OutcomesDocument, ResultDocument } from './envelope';
import { headersPlace, type headersFlags } from './flags/headers-flags';
import { KhCommand } from './kh-command';

/** What comes of looking into an archive, or into one on each of several devices. */
export type HeadersDocument<T> = ResultDocument<T> | OutcomesDocument<T>;

type HeadersFlags = InferredFlags<typeof headersFlags> & { quiet: boolean; verbose: boolean };

/** A command that looks into the headers of a file, a workspace or a device. */
export abstract class HeadersCommand extends KhCommand {
  static override progress = true;

  /** Does `look`, and prints its result as `text` has it; for several devices, with a line before each. */
  protected async look<T>(
    flags: HeadersFlags,
    look: Look<T>,
    text: (result: T) => string | Buffer,
  ): Promise<HeadersDocument<T>> {
    const place = headersPlace(flags);
    if (place !== undefined) {
      const { lookHere } = await import('../app/headers/headers-index');
      const result = await lookHere(place, look, await this.openHome(flags));
      return this.done({ result }, text(result));
    }
    const { lookOnDevice } = await import('../app/headers/device-index');
    const outcomes = await this.overDevices(flags, lookOnDevice(flags, look));
    const several = flags.all || (flags.serial ?? []).length > 1;
    return this.doneOver(outcomes, textOfEach(outcomes, several, text));
  }
}

/** As head(1) does with several files. */
function textOfEach<T>(
  outcomes: DeviceOutcome<T>[],
  several: boolean,
  text: (result: T) => string | Buffer,
): Buffer {
  const parts = outcomes.flatMap((outcome) => {
    if (outcome.status === 'failed') return [];
    const own = Buffer.from(text(outcome.result));
    return several ? [Buffer.from(`==> ${printable(outcome.name)} <==\n`), own] : [own];
  });
  return Buffer.concat(parts);
}
