import { asKhError } from '../core/errors';
import type { Work } from '../core/work';
import { runWith, type Access } from './access';
import { bounds } from './bounds';
import { frameKernelLog, type LogFrame } from './kernel-log';
import { explainLines, type ExplainedLine } from './kernel-messages';
import { parseLoadedModules, type LoadedModuleRow } from './loaded-modules';
import { explainLoss } from './module-errors';
import { script } from './script';
import { shellQuote } from './shell-quote';

/** What is asked of the kernel. */
export interface ModuleAction {
  serial: string;
  verb: 'load' | 'unload';
  /** The module's own name. */
  module: string;
  /** What the user called it: "out/dummy.ko". */
  shown: string;
}

/** What came of it: the exit code and the words of insmod or rmmod, and the kernel's. */
export interface ModuleOutcome {
  exitCode: number;
  output: string;
  log: ExplainedLine[];
  /** As /proc/modules has it afterwards. */
  row: LoadedModuleRow | undefined;
}

/**
 * Has insmod or rmmod run, and gives what came of it. Where that was no
 * success, the kernel's log is reported as events, too.
 *
 * @param access root's
 * @param commandLine its output and exit code are what counts
 * @throws KhError DEVICE_LOST and TIMEOUT with what that may mean here, and as `AdbDevice.run`
 */
export async function askKernel(
  access: Access,
  action: ModuleAction,
  commandLine: string,
  work: Work,
): Promise<ModuleOutcome> {
  const frame = frameKernelLog(`${action.verb}ing ${action.module}`);
  const questions = script({
    before: frame.before,
    command: `${commandLine}; echo "exit $?"`,
    row: `grep ${shellQuote(`^${action.module} `)} /proc/modules`,
    after: frame.after,
  });
  const call = bounds(work, `${action.verb}ing ${action.shown}`);
  const answers = await runWith(access, questions.commandLine, call).then(
    ({ stdout }) => questions.parse(stdout),
    async (error: unknown) => {
      await tellInterruption(access, action, frame, error, work);
      throw explainLoss(error, action);
    },
  );
  const [, output = '', exitCode = '1'] = /^(.*?)\s*exit (\d+)$/s.exec(answers.get('command') ?? '') ?? [];
  const log = explainLines(frame.newLines(answers.get('before'), answers.get('after')));
  if (exitCode !== '0') tellLog(log, access.adb.serial, work);
  const [row] = parseLoadedModules(answers.get('row') ?? '');
  return { exitCode: Number(exitCode), output, log, row };
}

/** The command did not come back: says what can be said. */
async function tellInterruption(
  access: Access,
  { serial, verb, shown }: ModuleAction,
  frame: LogFrame,
  error: unknown,
  work: Work,
): Promise<void> {
  if (work.signal.aborted) {
    const message = `stopped while ${verb}ing ${shown}: the kernel may have done it all the same`;
    work.emit({ type: 'warning', serial, message });
  } else if (asKhError(error).code === 'TIMEOUT') {
    const cleanup: Work = { ...work, signal: AbortSignal.timeout(work.times.cleanup) };
    // A device that hangs as a whole cannot say it any more: its silence is being reported.
    const read = await runWith(access, frame.after, bounds(cleanup)).catch(() => undefined);
    tellLog(explainLines(frame.newLines(undefined, read?.stdout.toString('utf8'))), access.adb.serial, work);
  }
}

/** Reports what the kernel logged, as it comes to those who follow the work. */
export function tellLog(log: ExplainedLine[], serial: string, { emit }: Pick<Work, 'emit'>): void {
  for (const { text, meaning } of log) {
    emit({ type: 'kernel.said', serial, text, ...(meaning === undefined ? {} : { meaning }) });
  }
}
