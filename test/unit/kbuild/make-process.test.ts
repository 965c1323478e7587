import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { firstError, makeProcess } from '../../../src/kbuild/make-process';
import { tempFolder } from '../../support/temp-folder';

async function run(makefile: string, signal = AbortSignal.timeout(60_000)) {
  const folder = await tempFolder();
  await writeFile(join(folder, 'Makefile'), makefile);
  const heard: string[] = [];
  const args = ['-s', '-C', folder];
  const outcome = await makeProcess({ make: 'make', args, signal, onText: (text) => heard.push(text) });
  return { ...outcome, heard };
}

describe('makeProcess', () => {
  it('passes on whole lines, however they come, and the last one without an end', async () => {
    const { heard, status, output } = await run("all:\n\t@printf a; sleep 0.1; printf 'b\\nc\\nd'\n");
    expect(status).toBe(0);
    expect(heard).toEqual(['ab\nc\n', 'd']);
    expect(output).toBe('ab\nc\nd');
  });

  it('is not steered by a make around kh', async () => {
    process.env['MAKEFLAGS'] = 'n';
    const { output } = await run('all:\n\t@echo $$((1 + 1))\n').finally(() => {
      delete process.env['MAKEFLAGS'];
    });
    expect(output).toBe('2\n');
  });

  it('tells how make ended', async () => {
    expect((await run('all:\n\t@exit 3\n')).status).toBe(2);
  });

  it('ends with the reason of the signal, and all that make started ends with it', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const marker = join(await tempFolder(), 'lives-on');
    setTimeout(() => controller.abort(reason), 300);
    await expect(run(`all:\n\tsleep 1; touch ${marker}\n`, controller.signal)).rejects.toBe(reason);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    await expect(writeFile(marker, '', { flag: 'wx' })).resolves.toBeUndefined();
  });
});

describe('firstError', () => {
  it.each([
    [
      'the first error',
      'CC a\na.c:1:2: error: x\nb.c:1:2: error: y\nmake: *** [a.o] Error 1\n',
      'a.c:1:2: error: x',
    ],
    ["modpost's", 'MODPOST\nERROR: modpost: "f" undefined!\nmake: *** x\n', 'ERROR: modpost: "f" undefined!'],
    [
      'what make says',
      'x\nmake: *** No rule to make target.  Stop.\nmake: Leaving directory x\n',
      'make: *** No rule to make target.  Stop.',
    ],
    ['the last line', 'one\ntwo\nmake[1]: Leaving directory x\n', 'two'],
    ['the status', '', 'make ended with 2'],
  ])('is %s', (_, output, expected) => {
    expect(firstError({ status: 2, output })).toBe(expected);
  });
});
