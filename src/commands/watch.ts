import { deviceFlags, runOptions } from '../cli/flags/device-flags';
import { manifestFlags, pullFlags, pullOptions } from '../cli/flags/pull-flags';
import { watchEnding, watchFlags } from '../cli/flags/watch-flags';
import { KhCommand } from '../cli/kh-command';
import { prose } from '../cli/prose';

export default class Watch extends KhCommand {
  static override summary = 'Pull for every device as it comes, for as long as it runs.';
  static override description = prose`
Pulls the headers of every device that is attached, and again when one comes or reboots into
another kernel. What fails is tried again at growing intervals; an adb server that goes is waited
for. Prints a line for each thing that happens; with --json, a JSON object on a line.

Ends on SIGTERM or Ctrl-C, with exit code 0, and leaves nothing half done. With --once it ends by
itself, with the exit code that \`pull --all\` would have.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json --manifest lab.json --require-manifest',
    "<%= config.bin %> <%= command.id %> --exec 'kh build-module ~/probe --load'",
    '<%= config.bin %> <%= command.id %> --once --exec \'rsync -a "$KH_HEADERS/" "build:headers/$KH_RELEASE/"\'',
  ];
  static override flags = {
    ...deviceFlags,
    ...watchFlags,
    ...manifestFlags,
    privilege: pullFlags.privilege,
  };
  static override jsonLines = true;

  async run(): Promise<undefined> {
    const { flags } = await this.parse(Watch);
    const { runWatch } = await import('../cli/run-watch');
    const { signal } = await this.work(flags);
    process.exitCode = await runWatch({
      ...runOptions(flags, process.env, this.lab),
      ...watchEnding(flags),
      pull: pullOptions({ ...flags, force: false }),
      verbose: flags.verbose,
      quiet: flags.quiet,
      json: this.jsonEnabled(),
      signal,
    });
  }
}
