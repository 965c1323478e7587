import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { inspectHeaders } from '../../../src/archive/headers-tree';
import { rejection, scratch, type Scratch } from './support/scratch';

const UTSRELEASE = 'include/generated/utsrelease.h';

function withHeaders(release = '#define UTS_RELEASE "6.1.145-android14"\n'): Scratch {
  const place = scratch();
  for (const folder of ['linux', 'generated', 'uapi/linux']) {
    mkdirSync(join(place.tree, 'include', folder), { recursive: true });
  }
  mkdirSync(join(place.tree, 'arch/arm64/include/asm'), { recursive: true });
  for (const name of ['linux/kconfig.h', 'linux/types.h', 'uapi/linux/types.h', 'generated/autoconf.h']) {
    writeFileSync(join(place.tree, 'include', name), '');
  }
  writeFileSync(join(place.tree, UTSRELEASE), release);
  return place;
}

describe('inspectHeaders', () => {
  it('reads the release of a complete tree', async () => {
    using place = withHeaders();
    expect(await inspectHeaders(place.tree)).toEqual({ release: '6.1.145-android14' });
  });

  it('names all that is missing at once', async () => {
    using place = withHeaders();
    rmSync(join(place.tree, 'include/linux/kconfig.h'));
    rmSync(join(place.tree, 'arch'), { recursive: true });
    const error = await rejection(inspectHeaders(place.tree));
    expect(error).toMatchObject({
      code: 'ARCHIVE_INCOMPLETE',
      details: { missing: ['include/linux/kconfig.h', 'arch/*/include/asm'] },
    });
    expect((error as Error).message).toContain('include/linux/kconfig.h, arch/*/include/asm');
  });

  it('takes a link to a header, and takes one that leads nowhere for missing', async () => {
    using place = withHeaders();
    const path = join(place.tree, 'include/linux/types.h');
    rmSync(path);
    symlinkSync('kconfig.h', path);
    expect(await inspectHeaders(place.tree)).toEqual({ release: '6.1.145-android14' });
    rmSync(path);
    symlinkSync('gone.h', path);
    expect(await rejection(inspectHeaders(place.tree))).toMatchObject({ code: 'ARCHIVE_INCOMPLETE' });
  });

  it.each([
    ['empty', ''],
    ['of another macro', '#define UTS_VERSION "6.1.0"\n'],
    ['with an empty release', '#define UTS_RELEASE ""\n'],
    ['with a quote inside', '#define UTS_RELEASE "6.1"; rm -rf "x"\n'],
    ['with a space', '#define UTS_RELEASE "6.1 .0"\n'],
    ['with an escape sequence', '#define UTS_RELEASE "6.1\x1b[2J"\n'],
    ['too long', `#define UTS_RELEASE "${'6'.repeat(65)}"\n`],
    ['with more behind it', '#define UTS_RELEASE "6.1.0"\n#define UTS_RELEASE "6.2.0"\n'],
  ])('refuses a utsrelease.h that is %s', async (_, text) => {
    using place = withHeaders(text);
    const error = await rejection(inspectHeaders(place.tree));
    expect(error).toMatchObject({ code: 'ARCHIVE_INCOMPLETE' });
    expect((error as Error).message).not.toContain('\x1b');
  });

  it('reads no release with a character that a path or a terminal could trip over', async () => {
    using place = withHeaders();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (release) => {
        writeFileSync(join(place.tree, UTSRELEASE), `#define UTS_RELEASE "${release}"\n`);
        const read = await inspectHeaders(place.tree).then(
          (headers) => headers.release,
          (error: unknown) => error,
        );
        if (typeof read === 'string') expect(read).toMatch(/^[\x21-\x7e]{1,64}$/);
        else expect(read).toMatchObject({ code: 'ARCHIVE_INCOMPLETE' });
      }),
    );
  });
});
