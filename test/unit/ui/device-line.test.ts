import type { KhEvent } from '../../../src/core/events';
import { FRESH_LINE, foldEvent, lineText, type DeviceLine } from '../../../src/ui/device-line';
import { pullEvents } from './pull-events';

/** The line after these events, each a second after the one before. */
function lineAfter(events: KhEvent[]): { line: DeviceLine; text: string } {
  let line = FRESH_LINE;
  let now = 0;
  for (const event of events) line = foldEvent(line, event, (now += 1000));
  return { line, text: lineText('A', line, now) };
}

describe('the live line of a device', () => {
  const events = pullEvents('A');

  it('says who, which kernel and what is going on', () => {
    expect(lineAfter(events.slice(0, 2)).text).toBe('A (Pixel_8)  6.1.99-android14  looking for its headers');
  });

  it('shows bytes, rate and time left while they flow', () => {
    const flowing = [
      ...events.slice(0, 5),
      { type: 'pull.progress', serial: 'A', bytes: 0, totalBytes: 4096 },
      { type: 'pull.progress', serial: 'A', bytes: 1024, totalBytes: 4096 },
    ] as KhEvent[];
    expect(lineAfter(flowing).text).toBe(
      'A (Pixel_8)  6.1.99-android14  pulling 1 KB of 4 KB (25%), 1 KB/s, 3.0 s left',
    );
  });

  it('drops the bytes when the next step begins', () => {
    const { line, text } = lineAfter(events.slice(0, 7));
    expect(line).not.toHaveProperty('transfer');
    expect(text).toBe('A (Pixel_8)  6.1.99-android14  verifying and extracting');
  });

  it('ends with what was moved and whether it could be verified', () => {
    const { line, text } = lineAfter(events);
    expect(line.state).toBe('done');
    expect(text).toBe('A (Pixel_8)  6.1.99-android14  8.0 MB in 1.2 s  verified');
  });

  it('is not reopened by what is undone on the device afterwards', () => {
    const late: KhEvent = { type: 'module.unloaded', serial: 'A', path: 'kheaders.ko' };
    expect(lineAfter([...events, late]).line.state).toBe('done');
  });

  it('ends with the module that was loaded or unloaded', () => {
    const selected = events[0]!;
    const inserted = lineAfter([selected, { type: 'module.inserted', serial: 'A', module: 'hello' }]);
    expect(inserted).toMatchObject({ line: { state: 'done' }, text: 'A (Pixel_8)  loaded hello' });
    const removed = lineAfter([selected, { type: 'module.removed', serial: 'A', module: 'hello' }]);
    expect(removed).toMatchObject({ line: { state: 'done' }, text: 'A (Pixel_8)  unloaded hello' });
  });

  it('says that nothing had to be transferred', () => {
    const ready = events.at(-1)!;
    const known: KhEvent = { type: 'archive.known', serial: 'A', sha256: 'f', by: 'same-boot' };
    expect(lineAfter([events[0]!, events[1]!, known, ready]).text).toContain('nothing to transfer');
  });

  it('ends as failed; the error itself stands below the list, in full', () => {
    const error = { code: 'DEVICE_LOST', exitCode: 4, message: 'A: lost while pulling' } as const;
    const { line, text } = lineAfter([...events.slice(0, 6), { type: 'device.failed', serial: 'A', error }]);
    expect(line.state).toBe('failed');
    expect(text).toBe('A (Pixel_8)  6.1.99-android14  failed');
  });
});
