import { kh } from '../support/kh';
import { closeAt, fault, pixel, startLab, withLargeArchive } from '../support/lab';
import { stagingLeftovers, storeTrees } from '../support/store-contents';

describe('kh pull from a device that is lost on the way', () => {
  it.each([
    ['the cable goes', fault('gone', 'recv', 100_000)],
    ['the connection ends', closeAt('recv', 100_000)],
  ])('reports it as lost, and leaves no tree, when %s at byte 100000', async (_, loss) => {
    const lab = await startLab({ devices: [await withLargeArchive(pixel({ faults: [loss] }))] });
    const run = await kh(['pull', '-s', 'PIXEL'], { lab });
    expect(run).toExitWith(4);
    expect(run.stderr).toMatch(/PIXEL: .*lost/);
    expect(await storeTrees(run.home)).toEqual([]);
    expect(await stagingLeftovers(run.home)).toEqual([]);
  });

  it('pulls when the device is back', async () => {
    const once = { match: 'kheaders', times: 1, forMs: 10 };
    const phone = pixel({ faults: [{ ...fault('gone', 'recv', 100_000), ...once }] });
    const lab = await startLab({ devices: [await withLargeArchive(phone)] });
    const lost = await kh(['pull', '-s', 'PIXEL'], { lab });
    expect(lost).toExitWith(4);
    const again = await kh(['pull', '-s', 'PIXEL', '--json'], { lab, home: lost.home });
    expect(again).toExitWith(0);
    expect(await storeTrees(again.home)).toHaveLength(1);
  });
});
