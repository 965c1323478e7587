import { inspect } from 'node:util';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { SimulatorPlace } from '../cli/documents';
import { KhCommand } from '../cli/kh-command';
import { prose } from '../cli/prose';
import { simulatorHint } from '../cli/text/simulator';
import { KhError } from '../core/errors';
import type { Simulator } from '../simulator/simulator';

export default class Simulate extends KhCommand {
  static override summary = 'Run an adb server with simulated devices, for demos, scripts and tests.';
  static override description = prose`
Listens on the loopback interface and runs until it is interrupted. Any adb client can use it, from
another terminal: \`adb -P PORT devices\`, or kh itself with -P. Once it is ready it prints HOST:PORT
(with --json a document with address and serials). A script has to wait for that: a client that
comes earlier starts a real adb server on this port.

Without a lab file it has three devices that show headers built in, in a module, and denied; with
--devices as many as asked, of three kernels.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --port 5038',
    '<%= config.bin %> <%= command.id %> lab.json',
    '<%= config.bin %> <%= command.id %> --devices 100 --port 5038',
    {
      description: 'In a bash script, on any free port; `kill $!` ends it:',
      command:
        'read -r address < <(<%= config.bin %> <%= command.id %>) && <%= config.bin %> pull --all -P "${address##*:}"',
    },
  ];
  static override args = {
    LAB: Args.string({ description: 'A JSON file that describes the devices, and their faults.' }),
  };
  static override flags = {
    port: Flags.integer({
      summary: 'Port to listen on; any that is free when left out.',
      min: 1,
      max: 65_535,
      helpValue: 'PORT',
    }),
    devices: Flags.integer({ summary: 'How many devices.', min: 1, max: 10_000, helpValue: 'N' }),
  };

  async run(): Promise<undefined> {
    const { args, flags } = await this.parse(Simulate);
    const { port, devices } = flags;
    const { LAB: labFile } = args;
    if (labFile !== undefined && devices !== undefined) throw new KhError('USAGE', TWO_LABS);
    const { runSimulator } = await import('../simulator/run-simulator');
    const { signal, emit } = await this.work(flags);
    let failures: readonly unknown[] = [];
    const onReady = ({ address, host, port: listening, devices: simulated, errors }: Simulator) => {
      failures = errors;
      const result: SimulatorPlace = {
        address,
        host,
        port: listening,
        serials: simulated.map(({ serial }) => serial),
      };
      if (!flags.quiet) process.stderr.write(simulatorHint(result));
      void this.announce({ result }, `${address}\n`);
    };
    await runSimulator({ labFile, port, devices, signal, onReady });
    for (const failure of failures) {
      emit({ type: 'warning', message: `a bug in the simulator: ${inspect(failure)}` });
    }
  }
}

const TWO_LABS = {
  message: 'both a lab file and --devices say which devices there are',
  hint: 'A lab file can hold many alike: see "count" in docs/simulator.md.',
};
