import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FakeBuild } from './fake-kernel-build';
import { hasGnuTar, isInstalled } from './installed';
import { tempFolder } from './temp-folder';

const HEADERS = `find $DIRS -name '*.h'`;
const SORTED = `(cd "$STAGE"; find . | sed 's,^[.]$,./,' | LC_ALL=C sort | tar --no-recursion $COMMON -T -)`;
const BY_TAR = `tar --sort=name --mode=u=rw,go=r,a+X $LEFTOVERS $COMMON -C "$STAGE" .`;

interface Work {
  /** Marks by which the script of this generation is known. */
  script: string;
  /** The same work by standard tools: what is copied, with which option of cpio, and how it is packed. */
  source: string;
  build: string;
  cpio: '-pd' | '-pdu';
  tar: string;
}

/** Generations of the kernel's generator. */
export const GENERATIONS = {
  '5.2': {
    script: 'src_files_md5=x\nfind "$f" ! -name "*.cmd" ! -name ".*" | cpio --quiet -pd $dir\ntar -Jcf $1\n',
    source: `find $DIRS kernel/gen_kheaders.sh ! -name '*.cmd' ! -name '.*'`,
    build: `find $DIRS ! -name '*.cmd' ! -name '.*'`,
    cpio: '-pd',
    tar: 'tar --sort=name $COMMON -C "$STAGE" .',
  },
  '5.4': {
    script:
      'src_files_md5=x this_file_md5=y\nfind "$f" -name "*.h" | cpio --quiet -pd $dir\nLC_ALL=C sort | tar -cf $1\n',
    source: HEADERS,
    build: HEADERS,
    cpio: '-pd',
    tar: SORTED,
  },
  '5.15': {
    script:
      'this_file_md5=y\nfind "$f" -name "*.h" | cpio --quiet -pdu $dir\nLC_ALL=C sort | tar --exclude=".nfs*" -cf $1\n',
    source: HEADERS,
    build: HEADERS,
    cpio: '-pdu',
    tar: SORTED.replace('$COMMON', '$LEFTOVERS $COMMON'),
  },
  '6.12': {
    script:
      'this_file_md5=y\nfind "$f" -name "*.h" | cpio --quiet -pdu $dir\ntar --exclude=".nfs*" --sort=name --mode=u=rw -cf $1\n',
    source: HEADERS,
    build: HEADERS,
    cpio: '-pdu',
    tar: BY_TAR,
  },
  '6.17': {
    script: 'objlist=$3\ntar -c | tar -xf - -C $dir\ntar --exclude=".nfs*" --sort=name --mode=u=rw -cf $1\n',
    source: `find $DIRS -path '*include/generated' -prune -o -name '*.h' -print`,
    build: `find include/generated arch/arm64/include/generated -name '*.h'`,
    cpio: '-pdu',
    tar: BY_TAR,
  },
} as const satisfies Record<string, Work>;

export type Generation = keyof typeof GENERATIONS;

/** Whether this machine has all that `referenceTar` takes. */
export function canMakeReference(): boolean {
  return [...['cpio', 'perl', 'find'].map(isInstalled), hasGnuTar()].every(Boolean);
}

/** The tar stream that find, cpio, perl and tar make of a build; `mtime` in seconds since 1970. */
export async function referenceTar(
  { source, build }: FakeBuild,
  generation: Generation,
  mtime: number,
): Promise<Buffer> {
  const folder = await tempFolder();
  const stage = join(folder, 'stage');
  await mkdir(stage);
  const { source: inSource, build: inBuild, cpio, tar } = GENERATIONS[generation];
  const script = `
    DIRS='include arch/arm64/include'
    COMMON='--format=gnu --mtime=@${mtime} --owner=0 --group=0 --numeric-owner -cf -'
    LEFTOVERS='--exclude=.__afs* --exclude=.nfs*'
    (cd "$SOURCE"; ${inSource} | cpio --quiet ${cpio} "$STAGE" 2>/dev/null) || true
    (cd "$BUILD"; ${inBuild} | cpio --quiet ${cpio} "$STAGE" 2>/dev/null) || true
    rm -f "$STAGE/include/generated/utsversion.h"
    find "$STAGE" -type f -size +0 -exec perl -0777 -pi -e 's~/\\*(?:(?!SPDX).)*?\\*/~~gs' {} +
    set -f
    ${tar}`;
  const file = join(folder, 'script');
  await writeFile(file, script);
  const env = { ...process.env, SOURCE: source, BUILD: build, STAGE: stage };
  const { stdout, stderr, status } = spawnSync('sh', ['-e', file], { env, maxBuffer: 1e8 });
  if (status !== 0) throw new Error(`the reference pipeline failed: ${stderr.toString()}`);
  return stdout;
}

/** What tar says of a stream: one line a member. */
export function tarListing(tar: Buffer): string[] {
  const { stdout } = spawnSync('tar', ['-tv', '--full-time', '--quoting-style=escape'], { input: tar });
  return stdout.toString().split('\n');
}
