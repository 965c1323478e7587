import { parseDuration } from '../../../src/core/duration';

describe('a length of time', () => {
  it.each([
    ['90', 90_000],
    ['90s', 90_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['500ms', 500],
    [' 2s ', 2_000],
  ])('%j is %d milliseconds', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', '0', '-1', '5x', 's', '1 m', '1e3', '0.0001ms', 'Infinity', '1m30s'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('is none where a timer of Node would overflow and fire at once', () => {
    expect(parseDuration('596h')).toBe(2_145_600_000);
    expect(parseDuration('597h')).toBeUndefined();
  });
});
