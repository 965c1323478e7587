import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { script } from '../../../src/device/script';

describe('script', () => {
  it('gives each answer of a real shell under its name', () => {
    const questions = script({ one: 'echo 1', two: 'echo a; echo b', none: 'true', last: 'printf x' });
    const stdout = execFileSync('/bin/sh', ['-c', questions.commandLine]);
    expect(Object.fromEntries(questions.parse(stdout))).toEqual({
      one: '1',
      two: 'a\nb',
      none: '',
      last: 'x',
    });
  });

  it('goes on after a question that fails', () => {
    const questions = script({ bad: 'no-such-command-here 2>/dev/null', good: 'echo yes' });
    const stdout = execFileSync('/bin/sh', ['-c', questions.commandLine]);
    expect(questions.parse(stdout).get('good')).toBe('yes');
  });

  it('leaves out the answer in which the output stops', () => {
    const questions = script({ one: 'echo first', two: 'echo second' });
    const stdout = execFileSync('/bin/sh', ['-c', questions.commandLine]);
    const upTo = (text: string) =>
      Object.fromEntries(questions.parse(stdout.subarray(0, stdout.indexOf(text))));
    expect(upTo('rst')).toEqual({});
    expect(upTo('two')).toEqual({ one: 'first' });
    expect(upTo('ond')).toEqual({ one: 'first' });
    expect(upTo('end\n')).toEqual({ one: 'first', two: 'second' });
  });

  it('reads through the carriage returns of a terminal', () => {
    const questions = script({ one: 'echo 1' });
    const stdout = execFileSync('/bin/sh', ['-c', questions.commandLine]).toString();
    expect(questions.parse(Buffer.from(stdout.replaceAll('\n', '\r\n'))).get('one')).toBe('1');
  });

  it('takes no output of a device for an answer of its own', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (noise) => {
        expect(script({ one: 'true' }).parse(Buffer.from(`@000000000000:one\n${noise}`)).size).toBe(0);
      }),
    );
  });
});
