import { KhError, asKhError, isErrno } from '../core/errors';
import { asksForJson, asksForStack, presentFailure } from './present-failure';

/** oclif's entry: `run` of @oclif/core/run. */
type Run = (argv: string[], options: { root: string }) => Promise<unknown>;

/**
 * Runs the command line. Commands report their own failures; here end those
 * from before a command was found, and those that nobody caught.
 */
export async function main(run: Run, argv: string[], root: string): Promise<void> {
  const fail = (error: KhError, json = asksForJson(argv, process.env)) =>
    presentFailure(error, { json, stack: asksForStack(argv, process.env), warnings: [] });
  process.on('uncaughtException', (thrown) => {
    if (isUnwritable(thrown)) fail(unwritable(thrown), false);
    else fail(asKhError(thrown));
    process.exit();
  });
  process.stderr.on('error', () => undefined); // whoever read it has gone: there is nobody left to tell
  // Where it is not set, oclif looks the user up, and fails for one that has no entry (`docker run --user 1234`).
  if (process.platform !== 'win32') process.env['SHELL'] ??= '/bin/sh';
  try {
    await run(argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv, { root });
  } catch (thrown) {
    const { asFailure } = await import('./as-failure');
    fail(asFailure(thrown, { name: 'kh', flags: [] }));
  }
  // Once the result is out, or could not be written: nobody needs the sockets that may still be open.
  process.stdout.write('', () => setImmediate(() => process.exit()));
}

/** A full disk behind `> file` shows itself outside of every call. */
function isUnwritable(thrown: unknown): thrown is NodeJS.ErrnoException {
  return isErrno(thrown, 'ENOSPC', 'EDQUOT', 'EIO') && thrown.syscall === 'write';
}

function unwritable(cause: NodeJS.ErrnoException): KhError {
  const code = cause.code === 'EIO' ? 'STORE_IO' : 'STORE_FULL';
  return new KhError(code, { message: `cannot write the result: ${cause.message}`, cause });
}
