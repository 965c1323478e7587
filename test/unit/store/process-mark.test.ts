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
    // Nobody waits for the child that is killed: exec puts `sh -c` in the place of the shell that started it.
    const script = 'sleep 60 & kill -9 $!; exec sh -c "sleep 0.1; echo $!; exec sleep 60"';
    const parent = spawn('sh', ['-c', script]);
    try {
      const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
      const zombie = pid.toString().trim();
      const fields = readFileSync(`/proc/${zombie}/stat`, 'utf8').split(') ')[1]!.split(' ');
      expect(fields[0]).toBe('Z');
      const mark = changed(changed(newProcessMark(), 'pid', zombie), 'started', fields[19]!);
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
