import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import type { ArgOutput, FlagOutput, Input, ParserOutput } from '@oclif/core/lib/interfaces/parser';
import type { AttachedDevice, Context } from '../app/context';
import type { LabSettings } from '../app/lab/lab-file';
import type { ServerReport } from '../app/lab/reach-lab';
import type { LabRun, RunBase } from '../app/over-devices';
import { EXIT_CODES, type ErrorReport, type KhError } from '../core/errors';
import type { KhEvent } from '../core/events';
import { ARCHIVE_LIMITS, TIME_LIMITS } from '../core/limits';
import type { DeviceOutcome } from '../core/outcome';
import { palette, wantsColour, type Palette } from '../ui/colour';
import { openReporter } from '../ui/open-reporter';
import type { Reporter } from '../ui/reporter';
import { asFailure } from './as-failure';
import {
  sumUp,
  warningOf,
  type Body,
  type DevicesDocument,
  type Envelope,
  type OutcomesDocument,
  type RunStatus,
  type Warning,
} from './envelope';
import { runOptions, type DeviceFlags } from './flags/device-flags';
import { asksForStack, presentFailure, writeJson } from './present-failure';
import { openReport, outcomeCase, serverCase, type ReportCase, type RunReport } from './run-report';
import { withLab } from './settings';
import { watchSignals, type Interruption } from './signals';

/** The flags that say how a run is reported. */
interface WorkFlags {
  quiet: boolean;
  verbose: boolean;
  report?: string | undefined;
}

/** Room after the cleanup on a device for what is left to do here. */
const MARGIN = 1_000;

/**
 * What every command of kh has in common: signals, a reporter on stderr, the
 * result or one JSON document on stdout, and exit codes that are the same in
 * both forms.
 *
 * A command parses, calls one use case with what `work` gives, and returns
 * what `done` or `doneOver` makes of the result.
 */
export abstract class KhCommand extends Command {
  static override enableJsonFlag = true;
  static override baseFlags = {
    quiet: Flags.boolean({
      char: 'q',
      summary: 'Say nothing on stderr but errors.',
      exclusive: ['verbose'],
      helpGroup: 'GLOBAL',
    }),
    verbose: Flags.boolean({
      char: 'v',
      summary: 'Say more: every step, and where errors come from.',
      helpGroup: 'GLOBAL',
    }),
  };

  /** False for commands that only look: they have no progress to show. */
  static progress = false;

  /** The lab file, for commands that take --lab; there once the command has parsed. */
  protected lab: LabSettings | undefined;

  /** True for commands that write lines of JSON, and no document of several. */
  static jsonLines = false;

  private readonly warnings: Warning[] = [];
  private servers: ServerReport[] = [];
  private missed: ErrorReport[] = [];
  private interruption: Interruption | undefined;
  private reporter: Reporter | undefined;
  private report: RunReport | undefined;

  /** @returns the document of `--json`; undefined where it has been announced before the end */
  abstract override run(): Promise<Envelope | undefined>;

  /** As oclif's, and a flag that is not given has the value of the environment, or else of the lab file. */
  protected override async parse<F extends FlagOutput, B extends FlagOutput, A extends ArgOutput>(
    options?: Input<F, B, A>,
    argv?: string[],
  ): Promise<ParserOutput<F, B, A>> {
    const parsed = await super.parse<F, B, A>(options, argv);
    if (options?.flags === undefined || !('lab' in options.flags)) return parsed;
    const { findLabFile } = await import('../app/lab/find-lab-file');
    const { configDir: configFolder } = this.config;
    const given = (parsed.flags as { lab?: string }).lab;
    this.lab = await findLabFile({ given, cwd: process.cwd(), env: process.env, configFolder });
    return withLab(parsed, this.lab, options.flags);
  }

  /** How a use case is stopped, and where it reports. */
  protected async work(flags: WorkFlags): Promise<RunBase> {
    const { quiet, verbose, report } = flags;
    if (report !== undefined) this.report ??= openReport(report, this.nameAsTyped);
    const { progress } = this.constructor as typeof KhCommand;
    const reporter = await openReporter({
      stream: process.stderr,
      env: process.env,
      quiet,
      verbose,
      progress,
    });
    this.reporter = reporter;
    const emit = (event: KhEvent) => {
      if (event.type === 'warning') this.warnings.push(warningOf(event));
      this.report?.hear(event);
      reporter.emit(event);
    };
    this.interruption ??= this.watch(emit);
    return { signal: this.interruption.signal, emit };
  }

  /** As `work`, with the store: for commands that meet no device. */
  protected async openHome(flags: WorkFlags): Promise<Context> {
    const { openHome } = await import('../app/open-home');
    const work = await this.work(flags);
    const store = await openHome(process.env, work.signal);
    return { ...work, store, times: TIME_LIMITS, limits: ARCHIVE_LIMITS };
  }

  /** As `openHome`, for commands that only read what the store has: it need not be there, nor be writable. */
  protected async findHome(flags: WorkFlags): Promise<Pick<Context, 'store' | 'signal' | 'emit'>> {
    const { findHome } = await import('../app/open-home');
    const work = await this.work(flags);
    return { ...work, store: await findHome(process.env, work.signal) };
  }

  /** Does `work` on each device that the flags choose. */
  protected async overDevices<T>(
    flags: DeviceFlags & WorkFlags,
    work: (device: AttachedDevice, context: Context) => Promise<T>,
  ): Promise<DeviceOutcome<T>[]> {
    const { overDevices } = await import('../app/over-devices');
    const options = runOptions(flags, process.env, this.lab);
    return this.met(await overDevices(options, await this.work(flags), work));
  }

  /** Keeps what a run says of its servers for the end of the command. */
  protected met<T>({ devices, servers, missed }: LabRun<T>): T[] {
    this.servers = servers;
    this.missed = missed;
    return devices;
  }

  /**
   * The end of a command: `text` goes to stdout, or `body` into the document.
   *
   * @param cases for `--report`
   */
  protected async done<B extends Body>(
    body: B,
    text: string | Uint8Array,
    status: RunStatus = { status: 'ok', exitCode: 0 },
    cases: ReportCase[] = [],
  ): Promise<Envelope<B>> {
    await this.reporter?.close();
    this.report?.write(cases, this.warnings);
    if (!this.jsonEnabled()) process.stdout.write(text);
    process.exitCode = status.exitCode;
    return { ...status, ...body, warnings: this.warnings };
  }

  /** The end of a command that worked on a workspace, in place of devices. */
  protected doneHere<T extends object>(
    { workspace, kernel = '' }: { workspace?: string; kernel?: string },
    result: T,
    text: string,
  ): Promise<Envelope<{ result: T }>> {
    return this.done({ result }, text, undefined, [{ name: workspace ?? kernel, facts: result }]);
  }

  /** What `done` would print, now: for a command that goes on. */
  protected async announce(body: Body, text: string): Promise<void> {
    const document = await this.done(body, text);
    if (this.jsonEnabled()) writeJson(document);
  }

  /** The end of a command that looks at devices: what it finds there is no failure, but what it can't reach is. */
  protected doneLooking<Entry>(devices: Entry[], text: string): Promise<DevicesDocument<Entry>> {
    const status: RunStatus =
      this.missed.length === 0
        ? { status: 'ok', exitCode: 0 }
        : { status: 'partial', exitCode: EXIT_CODES.PARTIAL };
    return this.done({ devices, servers: this.servers }, text, status);
  }

  /** The end of a command that worked on devices. Their failures have been reported as they came. */
  protected doneOver<T>(
    devices: DeviceOutcome<T>[],
    text: string | Uint8Array,
  ): Promise<OutcomesDocument<T>> {
    const { servers, missed } = this;
    const cases = [...devices.map(outcomeCase), ...missed.map(serverCase)];
    return this.done({ devices, servers }, text, sumUp(devices, missed), cases);
  }

  /** Colours for what goes to stdout. */
  protected get colours(): Palette {
    return palette(wantsColour(process.stdout, process.env));
  }

  private get nameAsTyped(): string {
    return `${this.config.bin} ${this.ctor.id.replaceAll(':', ' ')}`;
  }

  private watch(emit: (event: KhEvent) => void): Interruption {
    return watchSignals({
      grace: TIME_LIMITS.cleanup + MARGIN,
      onSlow: () => emit({ type: 'warning', message: 'cleaning up; interrupt again to stop at once' }),
      giveUp: (reason) => void this.giveUp(reason),
    });
  }

  /** Leaves whatever hangs behind; the terminal comes first, since the reporter holds it. */
  private async giveUp(reason: KhError): Promise<void> {
    await this.reporter?.close();
    this.fail(reason);
    process.exit();
  }

  private fail(thrown: unknown): void {
    const error = asFailure(thrown, {
      name: this.nameAsTyped,
      flags: Object.keys(this.config.findCommand(this.ctor.id)?.flags ?? {}),
    });
    this.report?.writeFailure(error, this.warnings);
    presentFailure(error, {
      json: this.jsonEnabled(),
      line: (this.constructor as typeof KhCommand).jsonLines,
      stack: asksForStack(this.argv, process.env),
      warnings: this.warnings,
    });
  }

  /** Ends the run here, so that the exit code is the same with and without `--json`. */
  protected override async catch(thrown: unknown): Promise<void> {
    this.parsed = true; // or oclif, where NODE_ENV is test, warns of a command that ended before it parsed
    await this.reporter?.close();
    this.fail(thrown);
  }

  protected override async finally(): Promise<void> {
    this.interruption?.dispose();
    await this.reporter?.close();
  }

  protected override logJson(document: object): void {
    writeJson(document);
  }
}
