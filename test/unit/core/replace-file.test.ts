import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { behindLinks, replaceFile } from '../../../src/core/replace-file';
import { tempFolder } from '../../support/temp-folder';
import { failureOf } from '../kbuild/image/failure';

describe('replaceFile', () => {
  it('makes a file, or replaces one, which keeps its mode', async () => {
    const path = join(await tempFolder(), 'file');
    replaceFile(path, 'one');
    chmodSync(path, 0o660);
    replaceFile(path, 'two');
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  it('replaces what a link leads to, and leaves the link', async () => {
    const folder = await tempFolder();
    mkdirSync(join(folder, 'below'));
    writeFileSync(join(folder, 'below/file'), 'one');
    symlinkSync('below/file', join(folder, 'link'));
    replaceFile(join(folder, 'link'), 'two');
    expect(readlinkSync(join(folder, 'link'))).toBe('below/file');
    expect(readFileSync(join(folder, 'below/file'), 'utf8')).toBe('two');
    expect(behindLinks(join(folder, 'link'))).toBe(behindLinks(join(folder, 'below/file')));
  });

  it('knows one place by one name, before anything is there and after', async () => {
    const folder = await tempFolder();
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', join(folder, 'alias'));
    const place = () => behindLinks(join(folder, 'alias/file'));
    const before = place();
    expect(before).toBe(behindLinks(join(folder, 'real/file')));
    replaceFile(join(folder, 'alias/file'), 'one');
    expect(place()).toBe(before);
  });

  it('replaces neither a pipe nor a folder, and leaves nothing behind', async () => {
    const folder = await tempFolder();
    mkdirSync(join(folder, 'folder'));
    expect(spawnSync('mkfifo', [join(folder, 'pipe')]).status).toBe(0);
    for (const [name, kind] of [
      ['folder', 'a folder'],
      ['pipe', 'a pipe'],
    ] as const) {
      const error = await failureOf(() => replaceFile(join(folder, name), 'text'));
      expect(error).toMatchObject({ code: 'USAGE' });
      expect(error.message).toContain(`is ${kind}, and is not replaced`);
    }
    expect(readdirSync(folder).sort()).toEqual(['folder', 'pipe']);
    expect(statSync(join(folder, 'pipe')).isFIFO()).toBe(true);
  });

  it('says where it cannot write, and nothing of the store', async () => {
    const error = await failureOf(() => replaceFile('/proc/no/such/file', 'text'));
    expect(error.code).toMatch(/^STORE_/);
    expect(`${error.message} ${error.hint ?? ''}`).not.toContain('KH_HOME');
    const folder = await tempFolder();
    expect((await failureOf(() => replaceFile(join(folder, 'a/b'), 'text'))).message).toContain(
      `no folder ${folder}/a`,
    );
  });
});
