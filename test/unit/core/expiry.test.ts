import { parseExpiry } from '../../../src/core/expiry';

const NOW = new Date('2026-11-21T12:00:00.000Z');

describe('until when something is good', () => {
  it.each([
    ['12h', '2026-11-22T00:00:00.000Z'],
    ['90d', '2027-02-19T12:00:00.000Z'],
    ['2w', '2026-12-05T12:00:00.000Z'],
    ['2027-06-30', '2027-06-30T00:00:00.000Z'],
    ['2027-06-30T08:30Z', '2027-06-30T08:30:00.000Z'],
  ])('is read from %s', (text, time) => {
    expect(parseExpiry(text, NOW)).toBe(time);
  });

  it.each([
    '',
    '0d',
    '-1d',
    '90',
    '90m',
    '2026-11-20',
    '2027-02-31T00:00Z',
    'never',
    '999999w',
    '2027-06-30T08:30',
  ])('is not %s', (text) => {
    expect(parseExpiry(text, NOW)).toBeUndefined();
  });
});
