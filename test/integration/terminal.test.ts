import { kh } from '../support/kh';
import { pixel, startLab, withLargeArchive } from '../support/lab';

describe('kh on a terminal', () => {
  it('keeps stdout for the result, whatever it draws on the terminal', async () => {
    const lab = await startLab({ devices: [await withLargeArchive(pixel())] });
    const run = await kh(['pull'], { lab, tty: true });
    expect(run).toExitWith(0);
    expect(run.stdout).toMatch(/^\/.*\/workspaces\/PIXEL\/6\.1\.145\S*\n$/);
    expect(run.stderr).toContain('\u001b[');
  });
});
