import {
  DefaultRenderer,
  Listr,
  ListrLogger,
  ListrTaskState,
  ProcessOutput,
  type ListrDefaultRendererLogLevels,
} from 'listr2';
import { deviceName } from '../core/device-name';
import type { KhEvent } from '../core/events';
import { printable } from '../core/printable';
import type { Palette } from './colour';
import { FRESH_LINE, foldEvent, lineText, whoWidth, type DeviceLine } from './device-line';
import { eventText } from './event-text';
import { failureText, warningMessage, warningText } from './failure-text';
import type { Reporter } from './reporter';

export interface TaskListOptions {
  stream: NodeJS.WriteStream;
  colours: Palette;
  /** Milliseconds of any steady clock. */
  now: () => number;
}

/**
 * One live line for each device, on a terminal. The work is done elsewhere:
 * listr2 draws, ten times a second, what the events have made of each line.
 * Warnings, and errors with their hints, follow in full below the list.
 */
export function taskList({ stream, colours, now }: TaskListOptions): Reporter {
  const lines = new Map<string, DeviceLine>();
  const below: string[] = [];
  const live = liveList(stream);
  let column = 0;
  const emit = (event: KhEvent) => {
    if (event.type === 'warning') {
      below.push(warningText(warningMessage(event), colours));
      return;
    }
    if (event.type === 'build.output') {
      below.push(event.text);
      return;
    }
    const device = deviceName(event);
    if (event.type === 'kernel.said') below.push(`${printable(device)}: ${eventText(event)?.text ?? ''}\n`);
    if (event.type === 'device.failed') below.push(failureText(event.error, colours));
    const time = now();
    const line = foldEvent(lines.get(device) ?? FRESH_LINE, event, time);
    lines.set(device, line);
    const width = whoWidth(device, line);
    const changed = width > column ? lines : [[device, line] as const];
    column = Math.max(column, width);
    for (const [name, shown] of changed) live.show(name, lineText(name, shown, time, column), shown.state);
  };
  const close = async () => {
    await live.end();
    stream.write(below.splice(0).join(''));
  };
  return { emit, close };
}

const TASK_STATES: Record<DeviceLine['state'], ListrTaskState> = {
  working: ListrTaskState.STARTED,
  done: ListrTaskState.COMPLETED,
  failed: ListrTaskState.FAILED,
};

interface Shown {
  text: string;
  state: DeviceLine['state'];
  task?: { title?: string; state: ListrTaskState; check: (context: unknown) => Promise<boolean> } | undefined;
}

/** listr2 draws on a copy of the stream, which would keep the size that the terminal had at the start. */
class LiveOutput extends ProcessOutput {
  constructor(private readonly terminal: NodeJS.WriteStream) {
    super(terminal, terminal);
  }

  override get stdout(): NodeJS.WriteStream {
    const { terminal } = this;
    return Object.defineProperties(super.stdout, {
      rows: { get: () => terminal.rows },
      columns: { get: () => terminal.columns },
    });
  }
}

/** listr2 goes by whether stdout is a terminal; this list is on stderr, whatever becomes of the result. */
class LiveRenderer extends DefaultRenderer {
  static override nonTTY = true;
}

/**
 * A listr2 list that grows as lines are shown and stays up until `end`.
 *
 * Its renderer writes to stdout unless the logger says otherwise, and its own
 * SIGINT listener would end the process before anything is cleaned up. Lines
 * are added once it runs, so that it takes none of them for work to do.
 */
function liveList(stream: NodeJS.WriteStream) {
  let running = false;
  let finish: () => void = () => undefined;
  const untilEnd = new Promise<void>((resolve) => (finish = resolve));
  const shown = new Map<string, Shown>();
  const keeper = () => {
    running = true;
    shown.forEach(draw);
    return untilEnd;
  };
  const processOutput = new LiveOutput(stream);
  const logger = new ListrLogger<ListrDefaultRendererLogLevels>({ processOutput });
  const list = new Listr<unknown, typeof LiveRenderer>([{ task: keeper }], {
    concurrent: true,
    exitOnError: false,
    registerSignalListeners: false,
    renderer: LiveRenderer,
    rendererOptions: { logger, formatOutput: 'truncate' },
  });
  const drawn = list.run();
  // While the list is up, what others write is held back; a process that ends early must still show it.
  const release = () => running && processOutput.release();
  process.once('exit', release);

  function draw(line: Shown): void {
    if (!running) return;
    if (line.task === undefined) {
      list.add({ title: line.text, task: () => undefined });
      line.task = list.tasks.at(-1);
      void line.task?.check(undefined);
    }
    if (line.task !== undefined)
      Object.assign(line.task, { title: line.text, state: TASK_STATES[line.state] });
  }
  const show = (key: string, text: string, state: DeviceLine['state']) => {
    const line: Shown = { ...shown.get(key), text, state };
    shown.set(key, line);
    draw(line);
  };
  const end = async () => {
    for (const [key, { text, state }] of shown) if (state === 'working') show(key, text, 'failed');
    process.off('exit', release);
    finish();
    await drawn;
  };
  return { show, end };
}
