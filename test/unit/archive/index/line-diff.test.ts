import { spawnSync } from 'node:child_process';
import { applyPatch } from 'diff';
import fc from 'fast-check';
import { lineDiff } from '../../../../src/archive/index/line-diff';

const diff = (before: string | undefined, after: string | undefined) =>
  lineDiff({ path: 'x.h', text: before }, { path: 'x.h', text: after });

describe('lineDiff', () => {
  it('gives a unified diff with its count of lines', () => {
    expect(diff('a\nb\nc\n', 'a\nB\nc\n')).toEqual({
      insertions: 1,
      deletions: 1,
      patch: '--- a/x.h\n+++ b/x.h\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n',
    });
  });

  it('puts /dev/null in place of a file that is not there', () => {
    expect(diff(undefined, 'a\n').patch).toBe('--- /dev/null\n+++ b/x.h\n@@ -0,0 +1,1 @@\n+a\n');
    expect(diff('a', undefined).patch).toBe(
      '--- a/x.h\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n\\ No newline at end of file\n',
    );
  });

  it('replaces a file as a whole where nearly every line of it changed', () => {
    const lines = (mark: string) => Array.from({ length: 5000 }, (_, n) => `${mark}${n}\n`).join('');
    const found = diff(lines('a'), lines('b'));
    expect(found).toMatchObject({ insertions: 5000, deletions: 5000 });
    expect(applyPatch(lines('a'), found.patch)).toBe(lines('b'));
  });

  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\n', '-', '+', '\\', ' '), maxLength: 30 });

  it('makes the one of the other when it is applied', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        expect(applyPatch(before, diff(before, after).patch)).toBe(after);
      }),
    );
  });

  it('is what diff -u gives, but for the names', () => {
    const hunks = (patch: string) => patch.split('\n').slice(2);
    const [before, after] = [
      '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n',
      '1\n2\nthree\n4\n5\n6\n7\n8\n9\n10\n11\n13\n14\n15',
    ];
    const script = 'diff -u /dev/fd/3 - 3<<A\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\nA';
    const made = spawnSync('bash', ['-c', script], { input: after, encoding: 'utf8' });
    expect(made.status).toBe(1);
    expect(hunks(diff(before, after).patch)).toEqual(hunks(made.stdout));
  });
});
