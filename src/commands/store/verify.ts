import * as Flags from '@oclif/core/flags';
import type { Documents } from '../../cli/documents';
import { reportFlag } from '../../cli/flags/report-flag';
import { KhCommand } from '../../cli/kh-command';
import { prose } from '../../cli/prose';
import { storeCases, storeCheckText } from '../../cli/text/store-check';
import { EXIT_CODES } from '../../core/errors';

export default class StoreVerify extends KhCommand {
  static override summary = 'Check everything in the store again, byte by byte, and mend it.';
  static override description = prose`
Reads every archive and compares it with its digests, every file of every tree with its archive,
and the record of every workspace. No device is asked.

With --repair, damaged trees are extracted again. An archive that is damaged itself is forgotten:
the next \`kh pull\` of its kernel transfers it. Exits with 11 where anything stays damaged.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --repair --json',
  ];
  static override flags = {
    repair: Flags.boolean({ summary: 'Extract damaged trees again.' }),
    ...reportFlag,
  };

  async run(): Promise<Documents['store verify']> {
    const { flags } = await this.parse(StoreVerify);
    const { isSound, verifyStore } = await import('../../app/verify-store');
    const { store, signal, emit } = await this.openHome(flags);
    const check = await verifyStore(store, { repair: flags.repair, signal, emit });
    return this.done(
      { result: check },
      storeCheckText(check, this.colours),
      isSound(check)
        ? { status: 'ok', exitCode: 0 }
        : { status: 'failed', exitCode: EXIT_CODES.STORE_DAMAGED },
      storeCases(check),
    );
  }
}
