import type { WatchEvent } from '../../../src/app/watch/watch-events';
import { watchOutput } from '../../../src/cli/watch-output';
import { palette } from '../../../src/ui/colour';

function rig({ json = false, quiet = false } = {}) {
  const written: string[] = [];
  const said: string[] = [];
  const reader = { reads: true };
  const stream = (lines: string[]) => ({
    hasRoom: () => reader.reads,
    write: (text: string) => void lines.push(text),
    close: () => Promise.resolve(true),
  });
  const now = () => new Date('2026-05-01T12:00:00.250Z');
  const colours = palette(false);
  const output = watchOutput({ out: stream(written), err: stream(said), json, quiet, colours, now });
  return { ...output, written, said, reader };
}

const DEVICE = { server: 'localhost:5037', serial: 'PIXEL' };
const error = {
  code: 'DEVICE_LOST' as const,
  exitCode: 4,
  message: 'PIXEL: lost while pulling',
  hint: 'Is the cable in?',
};

describe('a watch', () => {
  it('tells people each event on a line, with the time and the serial in front', () => {
    const { tell, written } = rig();
    tell({ type: 'device.appeared', ...DEVICE, state: 'device', model: 'Pixel_8' });
    tell({ type: 'device.failed', ...DEVICE, error, attempt: 1, retryInMilliseconds: 2000, news: true });
    expect(written).toEqual([
      '2026-05-01T12:00:00Z PIXEL: appeared (Pixel_8)\n',
      '2026-05-01T12:00:00Z PIXEL: failed: lost while pulling. Is the cable in? Again in 2 s, then less and less often.\n',
    ]);
  });

  it('does not tell people again what has not changed, but programs', () => {
    const again: WatchEvent = { type: 'device.failed', ...DEVICE, error, attempt: 2, news: false };
    const people = rig();
    people.tell(again);
    expect(people.written).toEqual([]);
    const programs = rig({ json: true });
    programs.tell(again);
    expect(programs.written).toHaveLength(1);
  });

  it('names the server of each device where there are several', () => {
    const { tell, written } = rig();
    tell({
      type: 'watch.started',
      servers: ['a:5037', 'b:5037'].map((name) => ({ name, address: name })),
      store: '/home/kh',
      version: '1.0.0',
    });
    tell({ type: 'device.vanished', server: 'b:5037', serial: 'PIXEL' });
    expect(written[1]).toBe('2026-05-01T12:00:00Z b:5037/PIXEL: gone\n');
  });

  it('writes an object on a line with the time and its place in the order, for programs', () => {
    const { tell, written } = rig({ json: true });
    tell({ type: 'device.vanished', ...DEVICE });
    tell({ type: 'device.vanished', ...DEVICE, serial: 'a\nb\u001b[2J' });
    expect(written.map((line) => JSON.parse(line) as unknown)).toEqual([
      { time: '2026-05-01T12:00:00.250Z', sequence: 1, type: 'device.vanished', ...DEVICE },
      {
        time: '2026-05-01T12:00:00.250Z',
        sequence: 2,
        type: 'device.vanished',
        ...DEVICE,
        serial: 'a\nb\u001b[2J',
      },
    ]);
    for (const line of written) expect(line).toMatch(/^[\x20-\x7e]+\n$/);
  });

  it('leaves out what a slow reader has no room for, and says how much that was', () => {
    const { tell, written, reader } = rig({ json: true });
    reader.reads = false;
    for (let event = 0; event < 1000; event += 1) tell({ type: 'device.vanished', ...DEVICE });
    expect(written).toEqual([]);
    reader.reads = true;
    tell({ type: 'device.vanished', ...DEVICE });
    const events = written.map((line) => JSON.parse(line) as { type: string; count?: number });
    expect(events.map(({ type }) => type)).toEqual(['events.dropped', 'device.vanished']);
    expect(events[0]?.count).toBe(1000);
  });

  it('passes on what a command writes, with the serial in front and nothing that acts on a terminal', () => {
    const { onOutput, said } = rig();
    onOutput('PIXEL', 'a \u001b[31mred\u001b[0m line\r');
    expect(said).toEqual(['PIXEL: a \\x1b[31mred\\x1b[0m line\\x0d\n']);
    const quiet = rig({ quiet: true });
    quiet.onOutput('PIXEL', 'a line');
    expect(quiet.said).toEqual([]);
  });
});
