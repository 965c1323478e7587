import { copyFile, mkdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rememberAnswers } from '../../../../src/kbuild/toolchain/tool-answers';
import { tempFolder } from '../../../support/temp-folder';

const { signal } = new AbortController();

/** A tool that is no script, and says something else each time it is run: the time. */
async function place() {
  const folder = await tempFolder();
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await copyFile('/bin/date', join(bin, 'tool-1'));
  await symlink('tool-1', join(bin, 'tool'));
  const path = join(folder, 'kdir/tools.json');
  const environment = { ...process.env, PATH: `${join(folder, 'none')}:${bin}:${process.env['PATH'] ?? ''}` };
  /** Asks in a run of its own. @returns the time, in nanoseconds */
  const ask = async (command = ['tool'], args = ['+%s%N']): Promise<string> => {
    const answers = await rememberAnswers(path);
    const { output } = await answers.ask(command, args, signal, environment);
    await answers.save();
    return output;
  };
  return { bin, path, ask };
}

describe('rememberAnswers', () => {
  it('asks a tool once, and again for what it was not asked before', async () => {
    const { ask } = await place();
    const first = await ask();
    expect(first).toMatch(/^\d{15,}\n$/);
    expect(await ask()).toBe(first);
    expect(await ask(['tool'], ['-u', '+%s%N'])).not.toBe(first);
  });

  it('asks again when the name leads to another program, or to a newer one', async () => {
    const { ask, bin } = await place();
    const first = await ask();
    await utimes(join(bin, 'tool-1'), 1000, 1000);
    const second = await ask();
    expect(second).not.toBe(first);
    await mkdir(join(bin, '../none'));
    await copyFile('/bin/date', join(bin, '../none/tool'));
    expect(await ask()).not.toBe(second);
  });

  it('knows a wrapped tool by both, and asks again when either is another', async () => {
    const { ask, bin } = await place();
    const wrapped = ['env', join(bin, 'tool')];
    const first = await ask(wrapped);
    expect(await ask(wrapped)).toBe(first);
    await utimes(join(bin, 'tool-1'), 1000, 1000);
    expect(await ask(wrapped)).not.toBe(first);
  });

  it('does not remember what a script says, nor a failure', async () => {
    const { ask, bin, path } = await place();
    await writeFile(join(bin, 'script'), '#!/bin/sh\ndate +%s%N\n', { mode: 0o755 });
    expect(await ask(['script'])).not.toBe(await ask(['script']));
    await ask(['tool'], ['--no-such-option']);
    await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('answers for a tool that is not there as runTool does', async () => {
    const { path } = await place();
    const { ask } = await rememberAnswers(path);
    expect(await ask(['no-such-tool'], [], signal)).toMatchObject({ status: undefined });
  });

  it.each(['', '{', 'null', '[1]', '{"key": 1}'])('starts anew with a file that says %j', async (text) => {
    const { ask, path } = await place();
    await mkdir(join(path, '..'));
    await writeFile(path, text);
    const first = await ask();
    expect(await ask()).toBe(first);
  });

  it('drops what is not asked any more', async () => {
    const { ask, path } = await place();
    await ask(['tool'], ['+first %N']);
    await ask(['tool'], ['+second %N']);
    expect(await readFile(path, 'utf8')).not.toContain('first');
  });
});
