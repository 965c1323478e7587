import { kernelParameters } from '../../../src/device/module-parameters';

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
      expect(() => kernelParameters([parameter])).toThrow(
        expect.objectContaining({ code: 'USAGE', hint: expect.stringContaining('NAME=VALUE') as string }),
      );
    },
  );

  it.each([['name="x'], ['name=a\nb'], ['name=\u001b[0m']])('refuses the value in %j', (parameter) => {
    expect(() => kernelParameters([parameter])).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('refuses more than insmod hands on', () => {
    expect(() => kernelParameters([`name=${'x'.repeat(5000)}`])).toThrow(
      expect.objectContaining({ code: 'USAGE' }),
    );
  });
});
