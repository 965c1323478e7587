import { failureEnvelope, sumUp } from '../../../src/cli/envelope';
import { EXIT_CODES, KhError, type ErrorCode } from '../../../src/core/errors';
import type { DeviceOutcome } from '../../../src/core/outcome';

const done = (serial: string): DeviceOutcome<object> => ({
  serial,
  name: serial,
  status: 'ok',
  milliseconds: 1,
  result: {},
});
const failed = (serial: string, code: ErrorCode): DeviceOutcome<object> => ({
  serial,
  name: serial,
  status: 'failed',
  milliseconds: 1,
  error: { code, exitCode: EXIT_CODES[code], message: 'no' },
});

describe('the exit code of a run over devices', () => {
  it('is 0 when all are done', () => {
    expect(sumUp([done('A'), done('B')])).toEqual({ status: 'ok', exitCode: 0 });
  });

  it('is 10 when some are done and some are not', () => {
    const outcomes = [failed('A', 'HEADERS_DENIED'), done('B')];
    expect(sumUp(outcomes)).toEqual({ status: 'partial', exitCode: 10 });
  });

  it('is that of the failure when the only device fails', () => {
    expect(sumUp([failed('A', 'VERIFY_MANIFEST')])).toEqual({ status: 'failed', exitCode: 6 });
  });

  it('is the common one when all fail for the same kind of reason', () => {
    const outcomes = [failed('A', 'HEADERS_DENIED'), failed('B', 'HEADERS_ABSENT')];
    expect(sumUp(outcomes)).toEqual({ status: 'failed', exitCode: 5 });
  });

  it('is the lowest when all fail differently, whatever the order', () => {
    const outcomes = [failed('A', 'STORE_FULL'), failed('B', 'DEVICE_LOST'), failed('C', 'TIMEOUT')];
    expect(sumUp(outcomes).exitCode).toBe(4);
    expect(sumUp(outcomes.toReversed()).exitCode).toBe(4);
  });

  it('is 10 when all that was met is done, but a server was not reached', () => {
    const down = { code: 'ADB_UNAVAILABLE', exitCode: 4, message: 'rack2: no adb server' } as const;
    expect(sumUp([done('A')], [down])).toEqual({ status: 'partial', exitCode: 10 });
    expect(sumUp([failed('A', 'HEADERS_ABSENT')], [down])).toEqual({ status: 'failed', exitCode: 4 });
  });

  it('never hides a bug in kh behind other failures', () => {
    expect(sumUp([failed('A', 'DEVICE_LOST'), failed('B', 'INTERNAL')]).exitCode).toBe(1);
  });
});

describe('the document of a run that failed as a whole', () => {
  it('carries the error as a report, and the warnings from before', () => {
    const error = new KhError('DEVICE_NONE', { message: 'no device is attached', hint: 'Plug one in.' });
    expect(failureEnvelope(error, [{ message: 'old adb' }])).toEqual({
      status: 'failed',
      exitCode: 3,
      error: {
        code: 'DEVICE_NONE',
        exitCode: 3,
        message: 'no device is attached',
        hint: 'Plug one in.',
      },
      warnings: [{ message: 'old adb' }],
    });
  });
});
