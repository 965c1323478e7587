import type { KhEvent } from '../../../src/core/events';
import { palette } from '../../../src/ui/colour';
import { plainLines } from '../../../src/ui/plain-lines';
import { pullEvents } from './pull-events';

const MB = 2 ** 20;

function listen({ verbose = false } = {}) {
  const heard: string[] = [];
  let time = 0;
  const { emit } = plainLines({
    write: (text) => heard.push(text),
    colours: palette(false),
    verbose,
    now: () => time,
  });
  return {
    heard,
    emit,
    /** Emits after some seconds have passed. */
    after: (seconds: number, event: KhEvent) => {
      time += seconds * 1000;
      emit(event);
    },
  };
}

const progress = (bytes: number, totalBytes = 8 * MB): KhEvent => ({
  type: 'pull.progress',
  serial: 'A',
  bytes,
  totalBytes,
});

describe('plain lines', () => {
  it('tell a pull in lines that each begin with the serial', () => {
    const { heard, emit } = listen();
    pullEvents('A').forEach(emit);
    expect(heard.join('')).toBe(
      [
        'A: kernel 6.1.99-android14 (aarch64)',
        'A: going on as root (su)',
        'A: loaded /system_dlkm/lib/modules/kheaders.ko',
        'A: headers at /sys/kernel/kheaders.tar.xz, 8.0 MB',
        'A: received 8.0 MB in 1.2 s (md5 b76fbf26bac71608fb3ae93d95e4dd6b)',
        'A: extracted 6543 entries, 30.0 MB',
        'A: unloaded /system_dlkm/lib/modules/kheaders.ko',
        'A: headers of 6.1.99-android14 ready, verified against lab.json',
        '',
      ].join('\n'),
    );
  });

  it('tell of an archive that is packed every quarter, and no more often than every two seconds', () => {
    const { heard, emit, after } = listen();
    const packing = (entries: number): KhEvent => ({
      type: 'pack.progress',
      serial: 'kheaders.tar.xz',
      entries,
      totalEntries: 6800,
    });
    emit(packing(64));
    after(1, packing(3400));
    after(1, packing(3464));
    after(3, packing(3528));
    after(3, packing(6800));
    emit({
      type: 'pack.finished',
      serial: 'kheaders.tar.xz',
      bytes: 4 * MB,
      unchanged: false,
      milliseconds: 8000,
    });
    expect(heard).toEqual([
      'kheaders.tar.xz: packing 3464 of 6800 files (50%)\n',
      'kheaders.tar.xz: packing 6800 of 6800 files (100%)\n',
      'kheaders.tar.xz: packed, 4.0 MB in 8 s\n',
    ]);
  });

  it('quote what the kernel says, escaped, with its meaning', () => {
    const { heard, emit } = listen();
    emit({ type: 'kernel.said', serial: 'A', text: 'hello: no', meaning: 'it is refused' });
    emit({ type: 'kernel.said', serial: 'A', text: '\u001b[31mred' });
    emit({ type: 'module.inserted', serial: 'A', module: 'hello' });
    emit({ type: 'module.removed', serial: 'A', module: 'hello' });
    expect(heard).toEqual([
      'A: kernel: hello: no  (it is refused)\n',
      'A: kernel: \\x1b[31mred\n',
      'A: loaded hello\n',
      'A: unloaded hello\n',
    ]);
  });

  it('tell more with --verbose', () => {
    const { heard, emit } = listen({ verbose: true });
    emit({ type: 'device.selected', serial: 'A', model: 'Pixel_8' });
    expect(heard).toEqual(['A: device is ready (Pixel_8)\n']);
  });

  it('keep silent about a transfer that is soon over', () => {
    const { heard, after } = listen();
    after(0, progress(0));
    after(0.3, progress(4 * MB));
    after(0.3, progress(8 * MB));
    expect(heard).toEqual([]);
  });

  it('speak of a slow transfer once a quarter, however often it reports', () => {
    const { heard, after } = listen();
    after(0, progress(0));
    for (let step = 1; step <= 80; step += 1) after(1, progress((step * MB) / 10));
    expect(heard).toEqual([
      'A: 2.0 MB of 8.0 MB (25%), 102 KB/s, 1 min left\n',
      'A: 4.0 MB of 8.0 MB (50%), 102 KB/s, 40 s left\n',
      'A: 6.0 MB of 8.0 MB (75%), 102 KB/s, 20 s left\n',
      'A: 8.0 MB of 8.0 MB (100%), 102 KB/s\n',
    ]);
  });

  it('follow each device for itself', () => {
    const { heard, after } = listen();
    after(0, progress(0));
    after(0, { ...progress(0), serial: 'B' });
    after(3, progress(4 * MB));
    after(0, { ...progress(1 * MB), serial: 'B' });
    expect(heard).toEqual(['A: 4.0 MB of 8.0 MB (50%), 1.3 MB/s, 3 s left\n']);
  });

  it('give an error with its hint, and a warning with its serial', () => {
    const { heard, emit } = listen();
    emit({
      type: 'device.failed',
      serial: 'A',
      error: { code: 'HEADERS_DENIED', exitCode: 5, message: 'A: denied', serial: 'A', hint: 'Try su.' },
    });
    emit({ type: 'warning', serial: 'B', message: 'two devices share a serial number' });
    emit({ type: 'warning', message: 'old adb' });
    expect(heard).toEqual([
      'error: A: denied\n  Try su.\n',
      'warning: B: two devices share a serial number\n',
      'warning: old adb\n',
    ]);
  });

  it('let no device write escape sequences into the log', () => {
    const { heard, emit } = listen();
    emit({ type: 'kernel.identified', serial: 'A\n', release: '6.1\u001b[2J', machine: 'x' });
    expect(heard).toEqual(['A\\x0a: kernel 6.1\\x1b[2J (x)\n']);
  });
});
