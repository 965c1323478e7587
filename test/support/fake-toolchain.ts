import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Commands that behave towards make as a compiler, a linker and modpost do, without compiling. */
export interface FakeTools {
  cc: string;
  ld: string;
  modpost: string;
  /** Everything they were asked since the last call, a line each, in order. */
  asked: () => Promise<string[]>;
}

/**
 * Writes the commands into `folder`. The compiler takes dependencies from
 * `#include "…"` lines, fails on `#error` and on the flag `-Dbroken`; what it
 * gives is text. modpost fails on an object with "undefined" in it.
 */
export async function fakeTools(folder: string): Promise<FakeTools> {
  await mkdir(folder, { recursive: true });
  const log = join(folder, 'asked.log');
  const command = async (name: string, script: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>${log}\n${script}`);
    await chmod(path, 0o755);
    return path;
  };
  await writeFile(log, '');
  return {
    cc: await command('cc', CC),
    ld: await command('ld', LD),
    modpost: await command('modpost', MODPOST),
    asked: async () => {
      const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line !== '');
      await writeFile(log, '');
      return lines;
    },
  };
}

const CC = `
out= dep= target= src= places=
for arg; do
  [ "$arg" != -Dbroken ] || { echo "cc: error: broken" >&2; exit 1; }
done
while [ $# -gt 0 ]; do
  case $1 in
    -o) out=$2; shift ;;
    -MF) dep=$2; shift ;;
    -MT) target=$2; shift ;;
    -x|-include|-isystem) shift ;;
    -I*) places="$places \${1#-I}" ;;
    -print-file-name=*) echo /usr/lib/fake/include; exit ;;
    -*) ;;
    *) src=$1 ;;
  esac
  shift
done
[ -f "$src" ] || [ "$src" = /dev/null ] || { echo "cc: error: no file $src" >&2; exit 1; }
! grep -q '^#error' "$src" || { echo "$src:1:1: error: #error" >&2; exit 1; }
found=
for name in $(sed -n 's/^#include "\\(.*\\)"/\\1/p' "$src"); do
  for place in "\${src%/*}" $places; do
    [ ! -f "$place/$name" ] || { found="$found $place/$name"; break; }
  done
done
if [ -n "$dep" ]; then
  printf '%s: %s%s\\n' "$target" "$src" "$found" >"$dep"
  for name in $found; do printf '%s:\\n' "$name" >>"$dep"; done
fi
if [ -n "$out" ]; then cat "$src" >"$out"; else cat "$src"; fi
`;

const LD = `
out= files=
while [ $# -gt 0 ]; do
  case $1 in
    -o) out=$2; shift ;;
    -T|-m|-z) shift ;;
    @*) files="$files $(cat "\${1#@}")" ;;
    -*) ;;
    *) files="$files $1" ;;
  esac
  shift
done
[ -z "$out" ] || cat $files >"$out"
`;

const MODPOST = `
traceable=
while [ $# -gt 0 ]; do
  case $1 in
    --kdir|--extra-symbols) shift ;;
    --output-symvers) : >"$2"; shift ;;
    --call-sites) traceable=y; shift ;;
    --warn) ;;
    *) ! grep -q undefined "$1" || { echo "modpost: error: $1: undefined" >&2; exit 1; }
       made="\${1%.o}.mod.c"
       [ -f "$made" ] || echo "/* completes $1 */" >"$made"
       [ -z "$traceable" ] || cp "$1" "\${1%.o}.traceable.o" ;;
  esac
  shift
done
`;
