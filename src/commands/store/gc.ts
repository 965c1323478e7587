import { CLIError } from '@oclif/core/errors';
import * as Flags from '@oclif/core/flags';
import { parseAge, parseSize } from '../../cli/amount';
import type { Documents } from '../../cli/documents';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { garbageText } from '../../cli/text/garbage';

export default class StoreGc extends KhCommand {
  static override summary = 'Give back what no workspace refers to, and what has not been used for long.';
  static override description = prose`
Removes archives and trees that no workspace refers to, and what killed runs left; with --older-than
and --max-size also workspaces, with what is built in them. What was used within the last hour stays,
and what another process works with.

Safe while other kh processes pull.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --older-than 30d',
    '<%= config.bin %> <%= command.id %> --max-size 20G --json',
  ];
  static override flags = {
    'older-than': Flags.custom<number>({
      summary: 'Also workspaces that nothing has used for so long: 12h, 30d, 6w.',
      parse: (input) => parsed(parseAge(input), `${input} is no age: give 12h, 30d or 6w`),
      helpValue: 'AGE',
    })(),
    'max-size': Flags.custom<number>({
      summary:
        'Also kernels that were used least recently, with their workspaces, until the rest is so small.',
      parse: (input) => parsed(parseSize(input), `${input} is no size: give 500M or 20G`),
      helpValue: 'SIZE',
    })(),
    'dry-run': Flags.boolean({ char: 'n', summary: 'Only show what would be removed.' }),
  };

  async run(): Promise<Documents['store gc']> {
    const { flags } = await this.parse(StoreGc);
    const { collectStore } = await import('../../app/store-gc');
    const { store, emit } = await this.openHome(flags);
    const { 'older-than': olderThan, 'max-size': maxBytes, 'dry-run': dryRun } = flags;
    const rules = {
      dryRun,
      ...(olderThan === undefined ? {} : { olderThan }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
    };
    const garbage = await collectStore(store, rules, emit);
    return this.done({ result: garbage }, garbageText(garbage, this.colours));
  }
}

async function parsed(value: number | undefined, problem: string): Promise<number> {
  if (value === undefined) throw new CLIError(problem);
  return Promise.resolve(value);
}
