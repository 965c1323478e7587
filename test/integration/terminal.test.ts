import { stripVTControlCharacters } from 'node:util';
import { kh } from '../support/kh';
import { pixel, startLab, withLargeArchive } from '../support/lab';
import { pull } from '../support/pull';

describe('kh on a terminal', () => {
  it('keeps stdout for the result, whatever it draws on the terminal', async () => {
    const lab = await startLab({ devices: [await withLargeArchive(pixel())] });
    const run = await kh(['pull'], { lab, tty: true });
    expect(run).toExitWith(0);
    expect(run.stdout).toMatch(/^\/.*\/workspaces\/PIXEL\/6\.1\.145\S*\n$/);
    expect(run.stderr).toContain('\u001b[');
  });

  it('shows what a search finds below the names of files, with what matches marked', async () => {
    const { home } = await pull(await startLab({ devices: [pixel()] }));
    const search = ['headers', 'search', 'K?CONFIG_H', '-C', '1', '-w', 'PIXEL'];
    const shown = async (env: Record<string, string>) => {
      const run = await kh(search, { home, tty: 'all', env: { TERM: 'xterm-256color', ...env } });
      expect(run).toExitWith(0);
      return run.stdout.replaceAll('\r\n', '\n');
    };
    const plain = [
      'include/generated/autoconf.h',
      '3-#define CONFIG_ARM64 1',
      '4:#define CONFIG_HZ 250',
      '',
      'include/linux/kconfig.h',
      '1-/* SPDX-License-Identifier: Apache-2.0 */',
      '2:#ifndef _SAMPLE_LINUX_KCONFIG_H',
      '3:#define _SAMPLE_LINUX_KCONFIG_H',
      '4-#include <generated/autoconf.h>',
      '',
    ].join('\n');
    expect(await shown({ NO_COLOR: '1' })).toBe(plain);
    const coloured = await shown({});
    expect(stripVTControlCharacters(coloured)).toBe(plain);
    expect(coloured).toContain('\n\u001b[1minclude/linux/kconfig.h\u001b[22m\n');
    expect(coloured).toContain(
      '\u001b[32m4\u001b[39m:#define \u001b[1m\u001b[31mCONFIG_H\u001b[39m\u001b[22mZ 250\n',
    );
  });
});
