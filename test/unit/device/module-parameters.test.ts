import { KhError } from '../../../src/core/errors';
import { kernelParameters } from '../../../src/device/module-parameters';

/** The refusal of these parameters. */
function refusal(...parameters: string[]): KhError {
  try {
    kernelParameters(parameters);
  } catch (error) {
    if (error instanceof KhError) return error;
    throw error;
  }
  throw new Error('they were taken');
}

describe('kernelParameters', () => {
  it('puts what has spaces between the quotes that the kernel knows', () => {
    expect(kernelParameters(['count=3', 'greeting=good morning', 'debug', 'list=1,2', 'empty='])).toEqual([
      'count=3',
      'greeting="good morning"',
      'debug',
      'list=1,2',
      'empty=',
    ]);
  });

  it.each([['=3'], ['a b=3'], ['-x'], [''], ['a;b=1'], ['$(reboot)=1']])(
    'refuses the name in %j',
    (parameter) => {
      expect(refusal(parameter)).toMatchObject({ code: 'USAGE', exitCode: 2 });
      expect(refusal(parameter).hint).toContain('NAME=VALUE');
    },
  );

  it.each([['name="x'], ['name=a\nb'], ['name=\u001b[0m']])('refuses the value in %j', (parameter) => {
    expect(refusal(parameter)).toMatchObject({ code: 'USAGE' });
  });

  it('refuses more than insmod hands on', () => {
    expect(refusal(`name=${'x'.repeat(5000)}`)).toMatchObject({ code: 'USAGE' });
  });
});
