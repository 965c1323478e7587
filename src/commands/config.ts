import type { Documents } from '../cli/documents';
import { deviceFlags } from '../cli/flags/device-flags';
import { manifestFlags, pullFlags } from '../cli/flags/pull-flags';
import { KhCommand } from '../cli/kh-command';
import { listSettings } from '../cli/list-settings';
import { prose } from '../cli/prose';
import { settingsTable } from '../cli/text/settings';

export default class Config extends KhCommand {
  static override summary = 'Show every setting, and where its value comes from.';
  static override description = prose`
A flag beats an environment variable, that beats the lab file, and that beats the default. Takes the
flags that the other commands take, to show what they would come to; asks no server and no device.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --lab rack.json --jobs 4',
    '<%= config.bin %> <%= command.id %> --json | jq -r .result.labFile',
  ];
  static override flags = {
    ...deviceFlags,
    ...manifestFlags,
    privilege: pullFlags.privilege,
  };

  async run(): Promise<Documents['config']> {
    const parsed = await this.parse(Config);
    const flags: Record<string, { env?: string }> = Config.flags;
    const result = listSettings({
      parsed,
      variableOf: (flag) => flags[flag]?.env,
      lab: this.lab,
      env: process.env,
    });
    return this.done({ result }, settingsTable(result.settings, this.colours));
  }
}
