import { watchSignals } from '../../../src/cli/signals';
import { KhError } from '../../../src/core/errors';

describe('signals', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  function watch() {
    const onSlow = jest.fn();
    const giveUp = jest.fn();
    const { signal, dispose } = watchSignals({ grace: 6_000, onSlow, giveUp });
    return { onSlow, giveUp, signal, dispose };
  }

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 143],
  ] as const)('abort the work on %s, for exit code %d', (name, exitCode) => {
    const { signal, giveUp, dispose } = watch();
    process.emit(name);
    expect(signal.reason).toBeInstanceOf(KhError);
    expect((signal.reason as KhError).exitCode).toBe(exitCode);
    expect(giveUp).not.toHaveBeenCalled();
    dispose();
  });

  it('end the process when a second one comes', () => {
    const { giveUp, dispose } = watch();
    process.emit('SIGINT');
    process.emit('SIGINT');
    expect(giveUp).toHaveBeenCalledWith(expect.objectContaining({ code: 'INTERRUPTED' }));
    dispose();
  });

  it('speak up when cleaning up takes long, and end the process when it takes too long', () => {
    const { onSlow, giveUp, dispose } = watch();
    process.emit('SIGTERM');
    jest.advanceTimersByTime(1_000);
    expect(onSlow).toHaveBeenCalledTimes(1);
    jest.advanceTimersByTime(4_999);
    expect(giveUp).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(giveUp).toHaveBeenCalledWith(expect.objectContaining({ code: 'TERMINATED' }));
    dispose();
  });

  it('are Node\u2019s again afterwards, and no timer is left', () => {
    const before = process.listenerCount('SIGINT');
    const { giveUp, dispose } = watch();
    process.emit('SIGINT');
    dispose();
    expect(process.listenerCount('SIGINT')).toBe(before);
    jest.advanceTimersByTime(60_000);
    expect(giveUp).not.toHaveBeenCalled();
  });
});
