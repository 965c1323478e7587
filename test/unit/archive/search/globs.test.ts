import fc from 'fast-check';
import { globFilter } from '../../../../src/archive/search/globs';

const PATHS = [
  'arch/arm64/include/asm/page.h',
  'include/dt-bindings/clock/qcom,gcc.h',
  'include/generated/autoconf.h',
  'include/linux/sched.h',
  'include/linux/sched/task.h',
  'include/uapi/linux/sched.h',
  'include/uapi/linux/netfilter/xt_MARK.h',
];

const chosen = (...globs: string[]) => PATHS.filter(globFilter(globs));

describe('globFilter', () => {
  it('lets everything through where there is no glob', () => {
    expect(chosen()).toEqual(PATHS);
  });

  it.each([
    ['a name in every folder', ['sched.h'], [3, 5]],
    ['a name with wildcards in every folder', ['sched*'], [3, 4, 5]],
    ['a whole path where there is a slash in it', ['linux/sched.h'], []],
    ['a whole path', ['include/linux/*.h'], [3]],
    ['paths at any depth behind **/', ['**/linux/sched.h'], [3, 5]],
    ['all that is below a folder', ['include/linux/'], [3, 4]],
    ['all that is below a folder, written with ./ in front', ['./include/linux'], [3, 4]],
    ['all that is below a folder of that name, wherever it is', ['linux'], [3, 4, 5, 6]],
    ['the top only, behind a slash', ['/sched.h'], []],
    ['alternatives and classes', ['**/{page,auto[a-c]onf}.h'], [0, 2]],
    ['names with a comma', ['qcom,*.h'], [1]],
    ['upper and lower case as they are', ['*mark.h'], []],
    ['everything but what is taken out', ['!generated', '!**/uapi/**'], [0, 1, 3, 4]],
    ['what the last glob that matches says', ['linux', '!uapi', 'xt_*'], [3, 4, 6]],
  ])('takes %s', (_, globs, expected) => {
    expect(chosen(...globs)).toEqual(expected.map((index) => PATHS[index]));
  });

  it('refuses what names nothing, and what is too long', () => {
    for (const glob of ['', '!', '/', '!/', './', 'a'.repeat(70_000)]) {
      expect(() => globFilter([glob])).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
    }
  });

  it('takes a path that is written with every special character escaped, and no other', () => {
    const name = fc.stringMatching(/^[\w,.[\]{}()*?!+@-]{1,12}$/).filter((text) => !/^\.{1,2}$/.test(text));
    fc.assert(
      fc.property(fc.array(name, { minLength: 2, maxLength: 4 }), (parts) => {
        const path = parts.join('/');
        const glob = path.replace(/[[\]{}()*?!+@-]/g, '\\$&');
        const filter = globFilter([glob]);
        expect([path, `${path}x`, `x${path}`].map(filter)).toEqual([true, false, false]);
      }),
    );
  });

  it('gives an answer or says USAGE, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (glob, path) => {
        try {
          expect(typeof globFilter([glob])(path)).toBe('boolean');
        } catch (error) {
          expect(error).toMatchObject({ code: 'USAGE' });
        }
      }),
    );
  });
});
