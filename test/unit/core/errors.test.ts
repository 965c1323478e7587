import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asKhError, errorReport, EXIT_CODES, KhError } from '../../../src/core/errors';

describe('KhError', () => {
  it('puts the serial in front of the message, and keeps the message without it', () => {
    const error = new KhError('DEVICE_LOST', { serial: '192.168.1.5:5555', message: 'lost while pulling' });
    expect(error.message).toBe('192.168.1.5:5555: lost while pulling');
    expect(error.reason).toBe('lost while pulling');
  });

  it('lets no control byte of a device through to a terminal', () => {
    const error = new KhError('REMOTE_IO', {
      serial: 'X\u001b[2J',
      message: 'said \u0007\r\nOK',
      hint: 'see \u009b1m',
    });
    expect(`${error.message}${error.hint ?? ''}`).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect(error.message).toBe('X\\x1b[2J: said \\x07\\x0d\\x0aOK');
  });

  it('keeps the first serial that it was given', () => {
    const error = new KhError('TIMEOUT', { message: 'too late' }).on('A').on('B');
    expect(error.serial).toBe('A');
    expect(error.message).toBe('A: too late');
  });

  it('keeps code, hint, details and cause when it learns of its device', () => {
    const cause = new Error('below');
    const error = new KhError('STORE_IO', { message: 'm', hint: 'h', details: { a: 1 }, cause }).on('A');
    expect(error).toMatchObject({ code: 'STORE_IO', hint: 'h', details: { a: 1 }, cause });
  });
});

describe('asKhError', () => {
  it('calls whatever is not a KhError a bug, and keeps its cause', () => {
    const cause = new TypeError('x is not a function');
    expect(asKhError(cause, 'A')).toMatchObject({ code: 'INTERNAL', exitCode: 1, serial: 'A', cause });
  });
});

describe('errorReport', () => {
  it('has only what is known', () => {
    expect(errorReport(new KhError('DEVICE_NONE', { message: 'none' }))).toEqual({
      code: 'DEVICE_NONE',
      exitCode: 3,
      message: 'none',
    });
  });
});

describe('docs/exit-codes.md', () => {
  it('lists every error code with its exit code, and no other', () => {
    const page = readFileSync(join(__dirname, '../../../docs/exit-codes.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `([A-Z_0-9]+)`\s+\|\s+(\d+)\s+\|/gm)].map(([, code, exit]) => [
      code,
      Number(exit),
    ]);
    expect(Object.fromEntries(rows)).toEqual(EXIT_CODES);
  });
});
