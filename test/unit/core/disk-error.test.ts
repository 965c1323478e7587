import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskError, outputError } from '../../../src/core/disk-error';
import { KhError } from '../../../src/core/errors';

function errno(code: string, syscall = 'write'): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: it failed`), { code, errno: -1, syscall });
}

const thrownBy = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('diskError', () => {
  const path = join(tmpdir(), 'kh-not-there', 'archive.part');

  it('says how much is needed and how much is free when the disk is full', () => {
    const error = diskError(errno('ENOSPC'), path, 50 * 2 ** 20);
    expect(error.code).toBe('STORE_FULL');
    expect(error.message).toContain(path);
    expect(error.message).toMatch(/50\.0 MB needed, .* free/);
    expect(error.details).toMatchObject({ path, neededBytes: 50 * 2 ** 20 });
    expect(error.details?.['freeBytes']).toBeGreaterThan(0);
  });

  it('leaves out what nobody told it', () => {
    expect(diskError(errno('ENOSPC'), path).details).not.toHaveProperty('neededBytes');
  });

  it('tells a used-up quota from a full disk', () => {
    const error = diskError(errno('EDQUOT'), path);
    expect(error.code).toBe('STORE_FULL');
    expect(error.message).toContain('quota');
  });

  it.each(['EACCES', 'EPERM', 'EROFS'])('calls %s denied', (code) => {
    const error = diskError(errno(code), path);
    expect(error.code).toBe('STORE_DENIED');
    expect(error.hint).toContain('KH_HOME');
    expect(error.details).toEqual({ path, errno: code });
  });

  it('keeps the words of any other failure, and the failure as its cause', () => {
    const cause = errno('EIO');
    const error = diskError(cause, path);
    expect(error.code).toBe('STORE_IO');
    expect(error.message).toContain('EIO: it failed');
    expect(error.cause).toBe(cause);
  });

  it.each(['EPERM', 'ENOTSUP', 'ENOSYS'])('says of %s for a link that the file system has none', (code) => {
    const error = diskError(errno(code, 'symlink'), path);
    expect(error.code).toBe('STORE_DENIED');
    expect(error.message).toContain('has no symbolic links');
    expect(error.hint).toContain('another file system');
    expect(diskError(errno(code), path).message).not.toContain('symbolic links');
  });

  it.each(['EEXIST', 'ENOTDIR'])('says what %s means for a folder', (code) => {
    expect(diskError(errno(code), path).hint).toContain('A file stands where a folder is needed');
  });

  it('understands the errors that Node itself raises', async () => {
    const cause = await readFile(join(path, 'deeper')).catch((error: unknown) => error);
    expect(diskError(cause, path).details).toEqual({ path, errno: 'ENOENT' });
  });

  it('names the folder that is missing, and the file that is in the way', async () => {
    const missing = diskError(await thrownBy(writeFile(join(path, 'deeper'), '')), join(path, 'deeper'));
    expect(missing.message).toBe(`cannot use ${join(path, 'deeper')}: there is no folder ${path}`);
    expect(missing.hint).toContain('KH_HOME');
    const inFile = diskError(await thrownBy(mkdir(join(__filename, 'x'))), join(__filename, 'x'));
    expect(inFile.message).toContain(`${__filename} is a file`);
  });

  it('says that nothing can be made in a place such as /proc', () => {
    const call = Object.assign(errno('ENOENT', 'mkdir'), { path: join(tmpdir(), 'kh-not-there') });
    const error = diskError(call, join(tmpdir(), 'kh-not-there', 'home'));
    expect(error.message).toContain(`nothing can be made in ${tmpdir()}`);
  });

  it('does not speak of KH_HOME where the user named the place', () => {
    for (const code of ['ENOSPC', 'EACCES', 'EEXIST']) {
      const error = outputError(errno(code), path);
      expect(error.hint).toContain('name a folder');
      expect(error.hint).not.toContain('KH_HOME');
    }
  });

  it('hands a KhError back as it is', () => {
    const error = new KhError('INTERRUPTED', { message: 'stopped' });
    expect(diskError(error, path)).toBe(error);
  });
});
