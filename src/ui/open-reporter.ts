import { palette, wantsColour } from './colour';
import { plainLines } from './plain-lines';
import { quietReporter } from './quiet';
import type { Reporter } from './reporter';

export interface ReporterChoice {
  stream: NodeJS.WriteStream;
  env: NodeJS.ProcessEnv;
  /** Errors only. */
  quiet: boolean;
  verbose: boolean;
  /** Whether the command has progress worth showing; one that only lists has none. */
  progress: boolean;
}

/** The reporter for who is listening: live lines on a terminal, plain ones in a log. */
export async function openReporter(choice: ReporterChoice): Promise<Reporter> {
  const { stream, env, quiet, verbose, progress } = choice;
  const colours = palette(wantsColour(stream, env));
  const write = (text: string) => void stream.write(text);
  const now = () => performance.now();
  if (quiet || !(progress || verbose)) return quietReporter(write, colours, { errorsOnly: quiet });
  if (verbose || !canRedraw(stream, env)) return plainLines({ write, colours, verbose, now });
  const { taskList } = await import('./task-list');
  return taskList({ stream, colours, now });
}

/** Where fewer columns are left than a line needs, or a terminal does not say how many it has. */
const NARROWEST = 20;

/** A build server's log may look like a terminal, but keeps every frame that was drawn. */
export function canRedraw(stream: { isTTY?: boolean; columns?: number }, env: NodeJS.ProcessEnv): boolean {
  const ci = env['CI'] !== undefined && env['CI'] !== '' && env['CI'] !== 'false';
  return stream.isTTY === true && (stream.columns ?? 0) >= NARROWEST && env['TERM'] !== 'dumb' && !ci;
}
