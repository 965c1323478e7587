import type { KhEvent } from '../../../src/core/events';
import { FRESH_LINE, foldEvent, lineText, whoWidth, type DeviceLine } from '../../../src/ui/device-line';
import { pullEvents } from './pull-events';

/** The line after these events, each a second after the one before. */
function lineAfter(events: KhEvent[]): { line: DeviceLine; text: string } {
  let line = FRESH_LINE;
  let now = 0;
  for (const event of events) line = foldEvent(line, event, (now += 1000));
  return { line, text: lineText('A', line, now, 0) };
}

describe('the live line of a device', () => {
  const events = pullEvents('A');

  it('says who, which kernel and what is going on', () => {
    expect(lineAfter(events.slice(0, 2)).text).toMatch(
      /^A \(Pixel_8\) {2}looking for its headers +6\.1\.99-android14$/,
    );
  });

  it('shows bytes, rate and time left while they flow', () => {
    const flowing = [
      ...events.slice(0, 5),
      { type: 'pull.progress', serial: 'A', bytes: 0, totalBytes: 4096 },
      { type: 'pull.progress', serial: 'A', bytes: 1024, totalBytes: 4096 },
    ] as KhEvent[];
    expect(lineAfter(flowing).text).toContain('pulling 1 KB of 4 KB (25%), 1 KB/s, 3 s left');
  });

  it('shows how much of an archive is packed, and what came of it', () => {
    const archive = { serial: 'A' } as const;
    const packing: KhEvent = { type: 'pack.progress', ...archive, entries: 640, totalEntries: 6400 };
    expect(lineAfter([packing]).text).toBe('A  packing 640 of 6400 files (10%)');
    const done = (unchanged: boolean): KhEvent => ({
      ...{ type: 'pack.finished', ...archive, bytes: 4096, unchanged, milliseconds: 1500 },
    });
    const packed = lineAfter([packing, done(false)]);
    expect(packed).toMatchObject({ line: { state: 'done' }, text: 'A  packed, 4 KB in 1.5 s' });
    expect(lineAfter([done(true)]).text).toBe('A  nothing changed, 4 KB in 1.5 s');
  });

  it('shows how far the search of an image is, and how long it took', () => {
    const searching = (bytes: number): KhEvent => ({
      type: 'image.searching',
      serial: 'A',
      bytes,
      totalBytes: 4096,
    });
    expect(lineAfter([searching(0), searching(1024)]).text).toContain('A  searching 1 KB of 4 KB (25%)');
    const searched: KhEvent = { type: 'image.searched', serial: 'A', bytes: 4096, milliseconds: 2000 };
    expect(lineAfter([searching(0), searched])).toMatchObject({
      line: { state: 'done' },
      text: 'A  searched in 2 s',
    });
  });

  it('drops the bytes when the next step begins', () => {
    const { line, text } = lineAfter(events.slice(0, 7));
    expect(line).not.toHaveProperty('transfer');
    expect(text).toContain('A (Pixel_8)  verifying and extracting   ');
  });

  it('ends with what was moved and whether it could be verified', () => {
    const { line, text } = lineAfter(events);
    expect(line.state).toBe('done');
    expect(text).toContain('A (Pixel_8)  8.0 MB in 1.2 s, verified  ');
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
    expect(text).toContain('A (Pixel_8)  failed   ');
  });

  it('stands in columns with the lines of other devices, whatever their names', () => {
    const { line } = lineAfter(events);
    const column = whoWidth('\u624b\u6a5f-0123', line);
    const [short, long] = ['A', '\u624b\u6a5f-0123'].map((serial) => lineText(serial, line, 0, column));
    expect(short).toMatch(/^A \(Pixel_8\) {10}8\.0 MB/);
    expect(long).toMatch(/^\u624b\u6a5f-0123 \(Pixel_8\) {2}8\.0 MB/);
  });
});
