import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describeMark, newProcessMark, processState } from '../../../src/store/process-mark';

const onLinux = process.platform === 'linux' ? it : it.skip;

/** The mark with one of its fields changed: host, boot, pid, started, random, from the end. */
function changed(mark: string, field: 'host' | 'boot' | 'pid' | 'started', value: string): string {
  const parts = mark.split('~');
  const fromEnd = { started: 2, pid: 3, boot: 4, host: 5 }[field];
  parts[parts.length - fromEnd] = value;
  return parts.join('~');
}

function statOf(pid: string) {
  const [name, state, fields] = /\((.*)\) (.) (.*)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))!.slice(1);
  return { name, state, started: fields!.split(' ')[18]! };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a process mark', () => {
  it('is never the same twice, and fit for the disk', () => {
    expect(newProcessMark()).not.toBe(newProcessMark());
    expect(newProcessMark()).toMatch(/^[A-Za-z0-9._+~-]+$/);
  });

  onLinux('shows that this process runs', () => {
    expect(processState(newProcessMark())).toBe('running');
  });

  it('shows that a process has ended', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    expect(processState(changed(newProcessMark(), 'pid', String(child.pid)))).toBe('gone');
  });

  onLinux('is not fooled by a pid that another process got', () => {
    expect(processState(changed(newProcessMark(), 'started', '1'))).toBe('gone');
  });

  onLinux('counts a process of an earlier boot as gone', () => {
    expect(processState(changed(newProcessMark(), 'boot', 'abcdef'))).toBe('gone');
  });

  it('leaves it open what runs on another host, and what a stranger is', () => {
    expect(processState(changed(newProcessMark(), 'host', '0123456789'))).toBe('unknown');
    expect(processState('lost+found')).toBe('unknown');
  });

  onLinux('counts a zombie as gone', async () => {
    // `exec` puts a program that waits for no child in the place of the shell.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60']);
    try {
      const [output] = (await once(parent.stdout, 'data')) as [Buffer];
      const child = output.toString().trim();
      await until(() => statOf(String(parent.pid)).name === 'sleep');
      process.kill(Number(child), 'SIGKILL');
      await until(() => statOf(child).state === 'Z');
      const mark = changed(changed(newProcessMark(), 'pid', child), 'started', statOf(child).started);
      expect(processState(mark)).toBe('gone');
    } finally {
      parent.kill('SIGKILL');
      await once(parent, 'exit');
    }
  });

  it('reads as a person would say it', () => {
    expect(describeMark(newProcessMark())).toBe(`process ${process.pid}`);
    expect(describeMark(changed(newProcessMark(), 'host', '0123456789'))).toMatch(
      /^process \d+ on host \S+$/,
    );
    expect(describeMark('x')).toBe('an unknown process');
  });
});
