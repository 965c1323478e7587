import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand, type CommandOptions } from '../../../../src/app/watch/run-command';
import { tempFolder } from '../../../support/temp-folder';

function run(command: string, options: Partial<CommandOptions> = {}) {
  const lines: string[] = [];
  const end = runCommand(command, {
    env: { PATH: process.env['PATH'] },
    signal: new AbortController().signal,
    timeout: 60_000,
    grace: 60_000,
    onStart: () => undefined,
    onLine: (line) => lines.push(line),
    ...options,
  });
  return end.then((ended) => ({ ...ended, lines }));
}

/** Whether a process runs; one that nobody has waited for yet does not. */
async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return status !== '' && !/\) Z /.test(status);
}

async function untilDead(pid: number): Promise<void> {
  for (let look = 0; look < 100 && (await isAlive(pid)); look += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await isAlive(pid)).toBe(false);
}

describe('a command', () => {
  it('is run by a shell with its environment, and its output comes by the line', async () => {
    const env = { PATH: process.env['PATH'], WHO: 'the device; rm -rf / $(id)' };
    const ended = await run('echo "$WHO"; echo below >&2; printf last; exit 3', { env });
    expect(ended).toMatchObject({ exitCode: 3, signal: undefined, timedOut: false });
    expect(ended.lines.sort()).toEqual(['below', 'last', 'the device; rm -rf / $(id)']);
  });

  it('may write a line without end: it comes in pieces', async () => {
    const { lines } = await run('head -c 10000 /dev/zero | tr "\\0" x');
    expect(lines.map((line) => line.length)).toEqual([4000, 4000, 2000]);
  });

  it('is told to end when its time is over, with all that it has started', async () => {
    const ended = await run('sleep 600 & echo $!; wait', { timeout: 300 });
    expect(ended).toMatchObject({ signal: 'SIGTERM', timedOut: true });
    await untilDead(Number(ended.lines[0]));
  });

  it('is killed where it does not end when it is told to', async () => {
    const stop = new AbortController();
    const ended = run('trap "" TERM; echo ready; while :; do sleep 1; done', {
      signal: stop.signal,
      grace: 200,
      onLine: () => stop.abort(),
    });
    expect(await ended).toMatchObject({ signal: 'SIGKILL', timedOut: false });
  });

  it('leaves nothing in the background, not even what holds its output open', async () => {
    const { lines, exitCode } = await run('sleep 600 & echo $!');
    expect(exitCode).toBe(0);
    await untilDead(Number(lines[0]));
  });

  it('is not begun for long where the watch has ended already', async () => {
    const file = join(await tempFolder(), 'file');
    const ended = await run(`sleep 5; touch ${file}`, { signal: AbortSignal.abort() });
    expect(ended).toMatchObject({ signal: 'SIGTERM' });
    expect(existsSync(file)).toBe(false);
  });
});
