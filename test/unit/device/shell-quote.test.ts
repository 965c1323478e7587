import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { shellQuote } from '../../../src/device/shell-quote';

describe('shellQuote', () => {
  it('leaves plain words readable', () => {
    expect(shellQuote('/system_dlkm/lib/modules/6.1.145-android14-11-g1/kheaders.ko')).toBe(
      '/system_dlkm/lib/modules/6.1.145-android14-11-g1/kheaders.ko',
    );
  });

  it('gives the empty word as two quotes', () => {
    expect(shellQuote('')).toBe("''");
  });

  it('refuses NUL, which would end the command line early', () => {
    expect(() => shellQuote('a\0b')).toThrow(RangeError);
  });

  it('is read back by a POSIX shell as the very same word, whatever it holds', () => {
    const anyText = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replaceAll('\0', ''));
    fc.assert(
      fc.property(fc.array(anyText, { minLength: 1, maxLength: 20 }), (words) => {
        const echoed = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${words.map(shellQuote).join(' ')}`]);
        expect(echoed.toString('utf8').split('\0').slice(0, -1)).toEqual(
          words.map((word) => Buffer.from(word).toString('utf8')),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('keeps substitutions from running', () => {
    const hostile = '$(echo ran)`echo ran`;echo ran&&\n\'"';
    expect(execFileSync('/bin/sh', ['-c', `printf %s ${shellQuote(hostile)}`]).toString()).toBe(hostile);
  });
});
