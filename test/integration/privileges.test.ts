import type { DeviceDescription } from '../../src/simulator/lab/lab-description';
import { modulePhone, pixel, startLab } from '../support/lab';
import { errorOf, pull, resultOf } from '../support/pull';

const denied = pixel({ headers: { kind: 'denied' } });

type Rights = Pick<DeviceDescription, 'adbRoot' | 'su' | 'user'>;

describe('kh pull of headers that are denied to the shell user', () => {
  it.each<[string, Rights, flags: string[], privilege: string]>([
    ['by adb root, which is tried first', { adbRoot: 'allowed', su: 'aosp' }, [], 'adb-root'],
    ['by the su of a userdebug build', { su: 'aosp' }, [], 'su'],
    ['by the su of a rooted phone', { su: 'magisk' }, [], 'su'],
    ['by su alone, where asked', { adbRoot: 'allowed', su: 'aosp' }, ['--privilege', 'su'], 'su'],
    ['by adb root alone, where asked', { adbRoot: 'allowed' }, ['--privilege', 'adb-root'], 'adb-root'],
    ['as they are, where adbd runs as root', { user: 'root' }, ['--privilege', 'none'], 'plain'],
  ])('reads them %s', async (_, rights, flags, privilege) => {
    const lab = await startLab({ devices: [{ ...denied, ...rights }] });
    const run = await pull(lab, flags);
    expect(run).toExitWith(0);
    expect(resultOf(run)).toMatchObject({ privilege, transferred: true, origin: 'built-in' });
  });

  it.each<[string, Rights, flags: string[], said: RegExp, hint: RegExp]>([
    ['nothing gives root', {}, [], /adbd refuses to run as root.* no su on the device/, /userdebug build/],
    ['its owner says no', { su: 'magisk-refused' }, [], /su did not give root/, /rooted phone/],
    ['only su is asked for', { adbRoot: 'allowed' }, ['--privilege', 'su'], /there is no su/, /./],
    ['only adb root is asked for', { su: 'aosp' }, ['--privilege', 'adb-root'], /adbd refuses/, /./],
    [
      'nothing may be tried',
      { adbRoot: 'allowed', su: 'aosp' },
      ['--privilege', 'none'],
      /denied to the shell user$/,
      /--privilege auto/,
    ],
  ])('says that they are there but denied, and what would help, where %s', async (...row) => {
    const [, rights, flags, said, hint] = row;
    const lab = await startLab({ devices: [{ ...denied, ...rights }] });
    const run = await pull(lab, flags);
    expect(run).toExitWith(5);
    const error = errorOf(run);
    expect(error.code).toBe('HEADERS_DENIED');
    expect(error.message).toMatch(/kheaders\.tar\.xz is there, but .* denied/);
    expect(error.message).toMatch(said);
    expect(error.hint).toMatch(hint);
  });

  it('asks for no right that it does not need', async () => {
    const lab = await startLab({ devices: [pixel({ adbRoot: 'allowed', su: 'aosp' })] });
    const run = await pull(lab);
    expect(run).toExitWith(0);
    expect(resultOf(run).privilege).toBe('plain');
    expect(lab.device('PIXEL').counters.services).not.toHaveProperty('root');
  });
});

describe('kh pull of headers in a module', () => {
  it('loads and unloads it as the root that adbd restarted as', async () => {
    const lab = await startLab({ devices: [modulePhone({ su: 'none' })] });
    const run = await pull(lab);
    expect(run).toExitWith(0);
    expect(resultOf(run)).toMatchObject({ privilege: 'adb-root', origin: 'module' });
    expect(lab.device('MODULE').modules()).toEqual([]);
  });

  it('says that it takes root, where there is none', async () => {
    const lab = await startLab({ devices: [modulePhone({ adbRoot: 'refused', su: 'none' })] });
    const run = await pull(lab);
    expect(run).toExitWith(5);
    const { code, message, hint } = errorOf(run);
    expect(code).toBe('HEADERS_MODULE_UNLOADABLE');
    expect(message).toMatch(/headers are in \/\S*kheaders\.ko, .* denied to the shell user/);
    expect(hint).toMatch(/userdebug build.* su /);
  });

  it('is told apart from a kernel that has none', async () => {
    const lab = await startLab({ devices: [pixel({ headers: { kind: 'absent' } })] });
    const run = await pull(lab);
    expect(run).toExitWith(5);
    expect(errorOf(run).code).toBe('HEADERS_ABSENT');
    expect(errorOf(run).hint).toMatch(/CONFIG_IKHEADERS/);
  });
});
