import { humanBytes, humanDuration } from '../../../src/core/human';

describe('humanBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [98_304, '96 KB'],
    [3_906_328, '3.7 MB'],
    [2 ** 31, '2.0 GB'],
  ])('shows %d as %s', (bytes, text) => {
    expect(humanBytes(bytes)).toBe(text);
  });
});

describe('humanDuration', () => {
  it.each([
    [350, '350 ms'],
    [4_200, '4.2 s'],
    [40_000, '40 s'],
    [75_000, '1 min 15 s'],
    [900_000, '15 min'],
  ])('shows %d ms as %s', (milliseconds, text) => {
    expect(humanDuration(milliseconds)).toBe(text);
  });
});
