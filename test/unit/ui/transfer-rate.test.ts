import { advanceTransfer, transferText } from '../../../src/ui/transfer-rate';

const MB = 2 ** 20;

describe('the text of a transfer', () => {
  it('tells bytes, rate and time left once the rate means something', () => {
    const first = advanceTransfer(undefined, { bytes: 0, totalBytes: 8 * MB }, 1000);
    const later = advanceTransfer(first, { bytes: 2 * MB, totalBytes: 8 * MB }, 2000);
    expect(transferText(later, 2000)).toBe('2.0 MB of 8.0 MB (25%), 2.0 MB/s, 3 s left');
  });

  it('promises nothing in the first moments', () => {
    const first = advanceTransfer(undefined, { bytes: MB, totalBytes: 2 * MB }, 0);
    const soon = advanceTransfer(first, { bytes: 1.5 * MB, totalBytes: 2 * MB }, 10);
    expect(transferText(soon, 10)).toBe('1.5 MB of 2.0 MB (75%)');
  });

  it('names no total and no time left where the device did not tell the size', () => {
    const first = advanceTransfer(undefined, { bytes: 0, totalBytes: 0 }, 0);
    const later = advanceTransfer(first, { bytes: 3 * MB, totalBytes: 0 }, 1000);
    expect(transferText(later, 1000)).toBe('3.0 MB, 3.0 MB/s');
  });

  it('starts over when a transfer does', () => {
    const first = advanceTransfer(undefined, { bytes: 4 * MB, totalBytes: 8 * MB }, 0);
    const again = advanceTransfer(first, { bytes: MB, totalBytes: 8 * MB }, 5000);
    expect(again).toEqual({ bytes: MB, totalBytes: 8 * MB, startedAt: 5000, startedWith: MB });
  });
});
