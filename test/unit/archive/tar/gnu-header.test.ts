import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'tar-stream/headers';
import { gnuEnd, gnuHeader, gnuPadding, type GnuMember } from '../../../../src/archive/tar/gnu-header';
import { hasGnuTar } from '../../../support/installed';
import { scratch } from '../support/scratch';

const MTIME = 1_767_225_600;

const file = (name: string, size = 3): GnuMember => ({ name, kind: 'file', mode: 0o644, size, mtime: MTIME });

describe('a header as of GNU tar', () => {
  it('is one block that others read', () => {
    const header = gnuHeader(file('./include/a.h', 1234));
    expect(header).toHaveLength(512);
    expect(decode(header, 'utf-8', false)).toMatchObject({
      name: './include/a.h',
      type: 'file',
      mode: 0o644,
      size: 1234,
      uid: 0,
      gid: 0,
      mtime: new Date(MTIME * 1000),
    });
  });

  it('has a member in front for a name of more than 100 bytes', () => {
    const name = `./${'n'.repeat(98)}`;
    expect(gnuHeader(file(name))).toHaveLength(512);
    const header = gnuHeader(file(`${name}x`));
    expect(header).toHaveLength(3 * 512);
    expect(decode(header.subarray(0, 512), 'utf-8', false)).toMatchObject({
      type: 'gnu-long-path',
      size: 102,
    });
    expect(header.toString('latin1', 512, 512 + 102)).toBe(`${name}x\0`);
  });

  it('and padding and end fill blocks and records', () => {
    expect([0, 1, 511, 512, 513].map((size) => gnuPadding(size).length)).toEqual([0, 511, 1, 0, 511]);
    expect([0, 8704, 9216, 10240].map((bytes) => (bytes + gnuEnd(bytes).length) / 10240)).toEqual([
      1, 1, 1, 2,
    ]);
    expect(9728 + gnuEnd(9728).length).toBe(2 * 10240);
  });

  (hasGnuTar() ? it : it.skip)('is the bytes that GNU tar writes', () => {
    using place = scratch();
    const names = [
      ...[96, 97, 98, 99, 100, 150].map((length) => 'f'.repeat(length)),
      'a,b.h',
      'A.h',
      '\u00e9.h',
    ];
    for (const name of names) writeFileSync(join(place.tree, name), 'abc');
    const folders = ['d', 'e'.repeat(97), 'e'.repeat(98)];
    for (const name of folders) mkdirSync(join(place.tree, name));
    const links = { l100: 'z'.repeat(100), l101: 'z'.repeat(101), l: 'a,b.h' };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(place.tree, name));
    const members: GnuMember[] = [
      ...names.map((name) => file(`./${latin1(name)}`)),
      ...folders.map((name) => ({ ...file(`./${name}/`, 0), kind: 'directory' as const, mode: 0o755 })),
      ...Object.entries(links).map(([name, target]) => ({
        ...file(`./${name}`, 0),
        kind: 'symlink' as const,
        target,
      })),
    ];
    const made = members.flatMap((member) => [
      gnuHeader(member),
      ...(member.kind === 'file' ? [Buffer.from('abc'), gnuPadding(3)] : []),
    ]);
    const ours = Buffer.concat([...made, gnuEnd(Buffer.concat(made).length)]);
    const words = ['--format=gnu', '--owner=0', '--group=0', '--numeric-owner', `--mtime=@${MTIME}`];
    const listed = members.map(({ name }) => Buffer.from(name, 'latin1').toString());
    const theirs = execFileSync(
      'tar',
      [...words, '--mode=u=rw,go=r,a+X', '--no-recursion', '-cf', '-', '-C', place.tree, ...listed],
      { maxBuffer: 1e8 },
    );
    expect(ours.equals(theirs)).toBe(true);
  });
});

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
