import { frameKernelLog } from '../../../src/device/kernel-log';

const OLD = ['[    1.000000] usb 1-1: new device', '[    2.500000] random: crng init done'];
const NEW = [
  '[    3.000000] hello: loading out-of-tree module taints kernel.',
  '[    3.100000] hello: here I am',
];

/** The line that the frame writes into the log, with the time in front. */
function markOf(before: string): string {
  return `[    2.900000] ${/echo '(.*)' >\/dev\/kmsg/.exec(before)![1]!}`;
}

const lines = (...texts: string[]) => `${texts.join('\n')}\n`;

describe('frameKernelLog', () => {
  it('gives what came after its own mark', () => {
    const frame = frameKernelLog('loading hello');
    const mark = markOf(frame.before);
    expect(mark).toMatch(/kh [0-9a-f]{12}: loading hello$/);
    expect(frame.newLines(lines(...OLD, mark), lines(...OLD, mark, ...NEW))).toEqual([
      { seconds: 3, text: 'hello: loading out-of-tree module taints kernel.' },
      { seconds: 3.1, text: 'hello: here I am' },
    ]);
  });

  it('marks each action differently, so that no earlier one is taken for it', () => {
    const earlier = markOf(frameKernelLog('loading hello').before);
    const frame = frameKernelLog('loading hello');
    const mark = markOf(frame.before);
    expect(frame.newLines(lines(earlier, mark), lines(earlier, OLD[0]!, mark, NEW[1]!))).toEqual([
      { seconds: 3.1, text: 'hello: here I am' },
    ]);
  });

  it('goes by the last line where the kernel takes no mark', () => {
    const frame = frameKernelLog('loading hello');
    const log = frame.newLines(lines(...OLD), lines(...OLD, ...NEW));
    expect(log.map(({ seconds }) => seconds)).toEqual([3, 3.1]);
    expect(frame.newLines(lines(...OLD), lines(...OLD))).toEqual([]);
  });

  it('takes all that is left for new where the mark was pushed out', () => {
    const frame = frameKernelLog('loading hello');
    const log = frame.newLines(lines(...OLD, markOf(frame.before)), lines(...NEW));
    expect(log).toHaveLength(2);
  });

  it('gives nothing where it cannot tell what is new', () => {
    const frame = frameKernelLog('loading hello');
    expect(frame.newLines(undefined, lines(...OLD, ...NEW))).toEqual([]);
    expect(frame.newLines(lines(...OLD), undefined)).toEqual([]);
  });

  it('finds its mark though the answer before did not arrive', () => {
    const frame = frameKernelLog('loading hello');
    const log = frame.newLines(undefined, lines(...OLD, markOf(frame.before), ...NEW));
    expect(log).toHaveLength(2);
  });

  it.each([
    ['[    3.000000] hello: x', { seconds: 3, text: 'hello: x' }],
    ['<4>[   12.345678] hello: x', { seconds: 12.345678, text: 'hello: x' }],
    ['[  123.456789][  T1234] hello: x', { seconds: 123.456789, text: 'hello: x' }],
    ['hello: x', { text: 'hello: x' }],
    ['[    3.000000] \u001b[31mred', { seconds: 3, text: '\\x1b[31mred' }],
  ])('reads %j', (line, expected) => {
    const frame = frameKernelLog('loading hello');
    const mark = markOf(frame.before);
    expect(frame.newLines(lines(mark), lines(mark, line))).toEqual([expected]);
  });

  it('keeps the first 500 lines of a flood, and says how many more there were', () => {
    const frame = frameKernelLog('loading hello');
    const mark = markOf(frame.before);
    const flood = Array.from({ length: 700 }, (_, index) => `[    3.0] line ${index}`);
    const log = frame.newLines(lines(mark), lines(mark, ...flood));
    expect(log).toHaveLength(501);
    expect(log[0]?.text).toBe('line 0');
    expect(log[500]?.text).toBe('(200 more lines)');
  });
});
