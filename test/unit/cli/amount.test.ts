import { parseAge, parseSize } from '../../../src/cli/amount';

it.each([
  ['0', 0],
  ['512', 512],
  ['1k', 1024],
  ['1.5M', 1_572_864],
  ['20G', 21_474_836_480],
  ['20GB', 21_474_836_480],
  ['20GiB', 21_474_836_480],
])('%j is a size of %d bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

it.each(['', 'G', '-1', '1e3', '20X', '20 G', '99999999T', '1.'])('%j is no size', (text) => {
  expect(parseSize(text)).toBeUndefined();
});

it.each([
  ['12h', 43_200_000],
  ['30d', 2_592_000_000],
  ['0.5w', 302_400_000],
])('%j is an age of %d ms', (text, milliseconds) => {
  expect(parseAge(text)).toBe(milliseconds);
});

it.each(['', '30', 'd', '-1d', '30x', '1d12h'])('%j is no age', (text) => {
  expect(parseAge(text)).toBeUndefined();
});
