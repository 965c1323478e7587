import { CLIError } from '@oclif/core/errors';
import { asFailure } from '../../../src/cli/as-failure';
import { KhError } from '../../../src/core/errors';

const form = { name: 'kh pull', flags: ['json', 'serial', 'jobs'] };
const told = (message: string) => asFailure(new CLIError(message), form);

describe('a complaint of the command line parser', () => {
  it('becomes a usage error that says where help is', () => {
    const error = told('Flag --jobs expects a value\nSee more help with --help');
    expect(error).toMatchObject({ code: 'USAGE', message: 'Flag --jobs expects a value' });
    expect(error.hint).toBe('`kh pull --help` shows what it takes.');
  });

  it('says which argument is missing', () => {
    const parts = [
      'Missing 1 required arg:',
      'FILE  The manifest.',
      '',
      'Note: --serial allows multiple values.',
    ];
    expect(told(parts.join('\n')).message).toBe('FILE is missing');
  });

  it('names the flags that do not go together, without their values', () => {
    const message = '--serial=A B cannot also be provided when using --all';
    expect(told(message).message).toBe('--serial and --all exclude each other');
  });

  it('fits on one line', () => {
    expect(told('The following errors occurred:\n  \u001b[2mone\u001b[22m\n  two').message).toBe('one; two');
  });

  it('names the flag whose value is wrong', () => {
    expect(told('Parsing --jobs \n\tExpected an integer').message).toBe('--jobs: Expected an integer');
  });
});

describe('any other error', () => {
  it('of kh itself stays what it is', () => {
    const error = new KhError('DEVICE_NONE', { message: 'none' });
    expect(asFailure(error, form)).toBe(error);
  });

  it('is a bug, with its cause kept', () => {
    const cause = new RangeError('too far');
    expect(asFailure(cause, form)).toMatchObject({ code: 'INTERNAL', exitCode: 1, cause });
  });
});
