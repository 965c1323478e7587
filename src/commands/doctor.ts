import type { Documents } from '../cli/documents';
import { deviceFlags, runOptions, serverFlags } from '../cli/flags/device-flags';
import { manifestFlags, manifestOptions } from '../cli/flags/pull-flags';
import { reportFlag } from '../cli/flags/report-flag';
import { KhCommand } from '../cli/kh-command';
import { prose } from '../cli/prose';
import { diagnosisCases, diagnosisText } from '../cli/text/diagnosis';

const { serial, exclude, jobs } = deviceFlags;

export default class Doctor extends KhCommand {
  static override summary = 'Say what is missing before it hurts, and what mends it.';
  static override description = prose`
Looks at this machine, the adb servers, every attached device, the compilers for the kernels seen,
the disk, the store and the manifest. Changes nothing: starts no adb server, loads no module, asks
nobody for root.

Each finding is ok, a note, a warning (something will not work) or an error (a pull would fail).
Exits with the code that the worst would have; with 0 where there is no error.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> -s 0A041FDD4003DM --manifest lab.json',
    '<%= config.bin %> <%= command.id %> --json | jq -r \'.result.findings[] | select(.severity == "error") | .mend\'',
  ];
  static override flags = {
    serial,
    exclude,
    jobs,
    ...serverFlags,
    ...manifestFlags,
    ...reportFlag,
  };

  async run(): Promise<Documents['doctor']> {
    const { flags } = await this.parse(Doctor);
    const { diagnose, exitCodeOf } = await import('../app/doctor/doctor');
    const work = await this.work(flags);
    const all = flags.serial === undefined;
    const options = runOptions({ ...flags, all, timeout: undefined }, process.env, this.lab);
    const result = await diagnose({ ...options, ...manifestOptions(flags) }, work);
    const exitCode = exitCodeOf(result);
    const status = exitCode === 0 ? 'ok' : 'failed';
    const text = diagnosisText(result, this.colours);
    return this.done({ result }, text, { status, exitCode }, diagnosisCases(result));
  }
}
