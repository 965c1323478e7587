import fc from 'fast-check';
import { printable, printableJson } from '../../../src/core/printable';

describe('printable', () => {
  it('leaves ordinary text of any language alone', () => {
    expect(printable('Größe 10 µs, 日本語, 👍')).toBe('Größe 10 µs, 日本語, 👍');
  });

  it.each([
    ['an escape sequence', '\u001b[31mred', '\\x1b[31mred'],
    ['a new line', 'a\nb', 'a\\x0ab'],
    ['a direction override', 'a\u202eb', 'a\\u202eb'],
    ['a line separator', 'a\u2028b', 'a\\u2028b'],
    ['a C1 control', 'a\u009bb', 'a\\x9bb'],
    ['a lone surrogate', 'a\ud800b', 'a\\ud800b'],
  ])('shows %s instead of obeying it', (_, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('keeps lines where they are asked for', () => {
    expect(printable('a\n\tb\r', { multiline: true })).toBe('a\n\tb\\x0d');
  });

  it('cuts what no one would read', () => {
    expect(printable('x'.repeat(1_000_000)).length).toBeLessThan(4100);
  });

  it('never lets a control character through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
      }),
    );
  });
});

describe('printableJson', () => {
  it('says the same, with nothing in it that a terminal obeys', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = printableJson(JSON.stringify({ text }, undefined, 2));
        expect(JSON.parse(json)).toEqual({ text });
        expect(json).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e]/);
      }),
    );
  });
});
