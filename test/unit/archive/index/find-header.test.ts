import fc from 'fast-check';
import { findHeader, includeFolders } from '../../../../src/archive/index/find-header';
import type { HeadersIndex, IndexMember } from '../../../../src/archive/index/index-file';

/** An index with files at these paths, and links where they have a target. */
function indexWith(...paths: (string | [path: string, target: string])[]): HeadersIndex {
  const members = new Map<string, IndexMember>();
  for (const entry of paths) {
    const [path, target] = typeof entry === 'string' ? [entry] : entry;
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth += 1) {
      const folder = parts.slice(0, depth).join('/');
      members.set(folder, { kind: 'directory', path: folder, mode: 0o755 });
    }
    const common = { path, mode: 0o644 };
    members.set(
      path,
      target === undefined
        ? { kind: 'file', ...common, size: 0, offset: 0 }
        : { kind: 'symlink', ...common, target },
    );
  }
  const read = () => Buffer.alloc(0);
  return {
    release: '6.1.0',
    members: [...members.values()],
    path: '',
    read,
    [Symbol.dispose]: () => undefined,
  };
}

const INDEX = indexWith(
  'arch/arm64/include/asm/page.h',
  'arch/arm64/include/generated/asm/export.h',
  'arch/arm64/include/uapi/asm/bitsperlong.h',
  'include/asm-generic/page.h',
  'include/generated/autoconf.h',
  'include/generated/uapi/linux/version.h',
  'include/linux/sched.h',
  'include/uapi/linux/sched.h',
  'include/uapi/linux/input-event-codes.h',
  ['include/dt-bindings/input/codes.h', '../../uapi/linux/input-event-codes.h'],
  ['include/linux/gone.h', 'nowhere.h'],
  ['include/asm', '../arch/arm64/include/asm'],
);

describe('findHeader', () => {
  it.each([
    ['its path', 'include/uapi/linux/sched.h', 'include/uapi/linux/sched.h'],
    ['its path as tar writes it', './include/linux/sched.h', 'include/linux/sched.h'],
    ['#include in the order of the kernel build', 'linux/sched.h', 'include/linux/sched.h'],
    ['#include with its brackets', '<asm/page.h>', 'arch/arm64/include/asm/page.h'],
    [
      '#include of a generated header of the architecture',
      'asm/export.h',
      'arch/arm64/include/generated/asm/export.h',
    ],
    ['#include of a uapi header', 'linux/version.h', 'include/generated/uapi/linux/version.h'],
    ['a name that only one has', 'autoconf.h', 'include/generated/autoconf.h'],
    ['a link to it', 'dt-bindings/input/codes.h', 'include/uapi/linux/input-event-codes.h'],
    ['a path through a link', 'include/asm/page.h', 'arch/arm64/include/asm/page.h'],
  ])('finds a header by %s', (_, word, file) => {
    expect(findHeader(INDEX, word)).toMatchObject({ found: 'one', file: { path: file } });
  });

  it('tells of others that end in the same', () => {
    expect(findHeader(INDEX, 'linux/sched.h')).toMatchObject({ others: ['include/uapi/linux/sched.h'] });
  });

  it('lists the candidates where several have the name', () => {
    expect(findHeader(INDEX, 'page.h')).toEqual({
      found: 'several',
      candidates: ['arch/arm64/include/asm/page.h', 'include/asm-generic/page.h'],
    });
  });

  it('knows a folder, and what is not there', () => {
    expect(findHeader(INDEX, 'include/linux')).toEqual({ found: 'folder', path: 'include/linux' });
    for (const word of ['gone.h', 'include/linux/gone.h', 'sched', 'age.h', '', '/']) {
      expect(findHeader(INDEX, word)).toEqual({ found: 'none' });
    }
  });

  it.each(['../../etc/passwd', 'include/../../etc/passwd', '/etc/passwd', 'include/linux/../linux/sched.h'])(
    'does not climb: %s',
    (word) => {
      expect(findHeader(INDEX, word)).toEqual({ found: 'none' });
    },
  );

  it('gives a file of the archive or none, whatever it is asked for', () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '',
      'include',
      'linux',
      'asm',
      'uapi',
      'sched.h',
      'page.h',
      'codes.h',
      '<',
      '>',
    );
    const files = INDEX.members.filter(({ kind }) => kind === 'file').map(({ path }) => path);
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const header = findHeader(INDEX, parts.join('/'));
        if (header.found === 'one') expect(files).toContain(header.file.path);
      }),
    );
  });
});

describe('includeFolders', () => {
  it('has the architecture before include/, and uapi last', () => {
    expect(includeFolders(INDEX)).toEqual([
      'arch/arm64/include',
      'arch/arm64/include/generated',
      'include',
      'arch/arm64/include/uapi',
      'arch/arm64/include/generated/uapi',
      'include/uapi',
      'include/generated/uapi',
    ]);
  });
});
