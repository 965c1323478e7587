import { once } from 'node:events';
import { spawn } from 'node:child_process';
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
    // The shell's child is killed, and nobody waits for it: exec put `sleep` in the shell's place.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; kill -9 $!; exec sleep 60']);
    try {
      const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
      const mark = changed(newProcessMark(), 'pid', pid.toString().trim());
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
