import { posix } from 'node:path';
import { statWithFault } from '../../content-faults';
import { SystemCallError } from '../../errno';
import type { Stat } from '../../file-system';
import { patternToRegExp } from '../patterns';
import type { Shell } from '../shell';
import { complain, parseOptions, print, type Applet, type Invocation } from './invocation';

/** Does something for each name; what the kernel refuses is told, and the others still done. */
async function forEachName(
  invocation: Invocation,
  names: readonly string[],
  action: (name: string) => Promise<void> | void,
  quote: (name: string) => string = (name) => name,
): Promise<number> {
  let status = 0;
  for (const name of names) {
    try {
      await action(name);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      await complain(invocation, `${quote(name)}: ${error.message}`);
      status = 1;
    }
  }
  return status;
}

const inQuotes = (name: string) => `'${name}'`;

/** Files are sent as they are read: what happens to the file meanwhile is seen. */
export const cat: Applet = async (invocation) => {
  const { shell, stdin, stdout } = invocation;
  const { rest } = parseOptions(invocation.args);
  return forEachName(invocation, rest.length === 0 ? ['-'] : rest, async (name) => {
    if (name === '-') {
      for (let some = await stdin.readSome(shell.signal); some; some = await stdin.readSome(shell.signal)) {
        await stdout.write(some);
      }
      return;
    }
    const file = shell.device.files.open(shell.path(name), shell.uid);
    const close = shell.device.noteOpen(shell.device.newPid(), shell.uid, shell.path(name));
    try {
      for (let offset = 0, chunk = file.read(0); chunk.length > 0; chunk = file.read(offset)) {
        await stdout.write(chunk);
        offset += chunk.length;
      }
    } finally {
      close();
    }
  });
};

export const stat: Applet = async (invocation) => {
  const { shell } = invocation;
  const { flags, values, rest } = parseOptions(invocation.args, 'c');
  const format =
    values.get('c')?.[0] ?? '  File: %n\n  Size: %s\tBlocks: %b\t%F\nAccess: (%a)\tUid: %u\tGid: %g';
  return forEachName(
    invocation,
    rest,
    async (name) => {
      const found = statWithFault(shell.device, shell.path(name), shell.uid, { follow: flags.has('L') });
      await print(invocation, `${formatStat(format, name, found)}\n`);
    },
    inQuotes,
  );
};

const KIND_NAMES = { file: 'regular file', directory: 'directory', link: 'symbolic link' } as const;

function formatStat(format: string, name: string, found: Stat): string {
  const owner = ownerName(found.uid);
  const fields: Record<string, string | undefined> = {
    '%': '%',
    a: found.mode.toString(8),
    A: modeText(found),
    b: String(Math.ceil(found.size / 512)),
    F: KIND_NAMES[found.kind],
    g: String(found.uid),
    G: owner,
    n: name,
    s: String(found.size),
    u: String(found.uid),
    U: owner,
    Y: String(found.mtime),
  };
  return format.replace(/%(.)/gs, (whole, letter: string) => fields[letter] ?? whole);
}

function ownerName(uid: number): string {
  return { 0: 'root', 1000: 'system', 2000: 'shell' }[uid] ?? String(uid);
}

const KIND_LETTERS = { file: '-', directory: 'd', link: 'l' } as const;

function modeText({ kind, mode }: Stat): string {
  const bits = Array.from('rwxrwxrwx', (letter, index) => ((mode >> (8 - index)) & 1 ? letter : '-'));
  return KIND_LETTERS[kind] + bits.join('');
}

/** `-l -a -d -1 -n`; what may not be stat'ed is named with question marks, as on a phone. */
export const ls: Applet = async (invocation) => {
  const { shell } = invocation;
  const { flags, rest } = parseOptions(invocation.args);
  const names = rest.length === 0 ? ['.'] : rest;
  const files: string[] = [];
  const folders: string[] = [];
  const status = await forEachName(invocation, names, (name) => {
    const follow = !flags.has('l') || name.endsWith('/');
    const { kind } = statWithFault(shell.device, shell.path(name), shell.uid, { follow });
    (kind === 'directory' && !flags.has('d') ? folders : files).push(name);
  });
  const listed = [status, await listLines(invocation, files, '', flags)];
  for (const [index, folder] of folders.entries()) {
    if (names.length > 1) await print(invocation, `${index + files.length > 0 ? '\n' : ''}${folder}:\n`);
    listed.push(await listFolder(invocation, folder, flags));
  }
  return Math.max(...listed);
};

async function listFolder(invocation: Invocation, folder: string, flags: Set<string>): Promise<number> {
  const { shell } = invocation;
  let listed = 0;
  const status = await forEachName(invocation, [folder], async () => {
    const entries = shell.device.files.list(shell.path(folder), shell.uid);
    if (flags.has('l')) await print(invocation, 'total 0\n');
    const shown = entries.filter((name) => flags.has('a') || flags.has('A') || !name.startsWith('.'));
    listed = await listLines(invocation, shown, folder, flags);
  });
  return Math.max(status, listed);
}

async function listLines(
  invocation: Invocation,
  names: readonly string[],
  folder: string,
  flags: Set<string>,
): Promise<number> {
  const { shell } = invocation;
  const list = async (name: string) => {
    if (!flags.has('l') && !flags.has('n')) return print(invocation, `${name}\n`);
    const path = posix.resolve(shell.path(folder), name);
    try {
      await print(invocation, longLine(shell, path, name, flags.has('n')));
    } catch (error) {
      if (error instanceof SystemCallError) await print(invocation, `?????????? ? ? ? ? ? ${name}\n`);
      throw error;
    }
  };
  return forEachName(invocation, names, list, (name) => posix.join(folder, name));
}

function longLine(shell: Shell, path: string, name: string, numeric: boolean): string {
  const found = statWithFault(shell.device, path, shell.uid, { follow: false });
  const owner = numeric ? String(found.uid) : ownerName(found.uid);
  const time = new Date(found.mtime * 1000).toISOString().slice(0, 16).replace('T', ' ');
  const target = found.kind === 'link' ? ` -> ${shell.device.files.readLink(path, shell.uid)}` : '';
  return `${modeText(found)} 1 ${owner} ${owner} ${found.size} ${time} ${name}${target}\n`;
}

/** `find FOLDER… [-maxdepth N] [-name PATTERN] [-type f|d|l]` */
export const find: Applet = async (invocation) => {
  const firstTest = invocation.args.findIndex((arg) => arg.startsWith('-'));
  const folders = firstTest < 0 ? invocation.args : invocation.args.slice(0, firstTest);
  const tests = firstTest < 0 ? [] : invocation.args.slice(firstTest);
  const value = (name: string) => (tests.includes(name) ? tests[tests.indexOf(name) + 1] : undefined);
  const search: Search = {
    depth: Number(value('-maxdepth') ?? 32),
    name: patternToRegExp(value('-name') ?? '*'),
    kind: { f: 'file', d: 'directory', l: 'link' }[value('-type') ?? ''],
  };
  const statuses: number[] = [];
  for (const folder of folders.length === 0 ? ['.'] : folders) {
    statuses.push(await walk(invocation, folder, search));
  }
  return Math.max(...statuses);
};

interface Search {
  depth: number;
  name: RegExp;
  kind: string | undefined;
}

async function walk(invocation: Invocation, path: string, search: Search): Promise<number> {
  const { shell } = invocation;
  const { files } = shell.device;
  const below: number[] = [];
  const visit = async () => {
    const { kind } = files.stat(shell.path(path), shell.uid, { follow: false });
    const wanted = search.name.test(posix.basename(path)) && (search.kind ?? kind) === kind;
    if (wanted) await print(invocation, `${path}\n`);
    if (kind !== 'directory' || search.depth === 0) return;
    for (const name of files.list(shell.path(path), shell.uid)) {
      const entry = path.endsWith('/') ? path + name : `${path}/${name}`;
      below.push(await walk(invocation, entry, { ...search, depth: search.depth - 1 }));
    }
  };
  return Math.max(await forEachName(invocation, [path], visit, inQuotes), ...below);
}

export const readlink: Applet = async (invocation) => {
  const { shell } = invocation;
  const { flags, rest } = parseOptions(invocation.args);
  try {
    for (const name of rest) {
      const path = shell.path(name);
      if (flags.has('f') || flags.has('e')) shell.device.files.stat(path, shell.uid);
      await print(
        invocation,
        `${flags.has('f') ? resolveLinks(shell, path) : shell.device.files.readLink(path, shell.uid)}\n`,
      );
    }
    return 0;
  } catch (error) {
    if (error instanceof SystemCallError) return 1;
    throw error;
  }
};

function resolveLinks(shell: Shell, path: string): string {
  let resolved = '/';
  for (const name of path.split('/').filter(Boolean)) {
    const next = posix.join(resolved, name);
    const { kind } = shell.device.files.stat(next, shell.uid, { follow: false });
    resolved =
      kind === 'link'
        ? resolveLinks(shell, posix.resolve(resolved, shell.device.files.readLink(next, shell.uid)))
        : next;
  }
  return resolved;
}

export const basename: Applet = async (invocation) => {
  const [name = '', suffix] = invocation.args;
  await print(invocation, `${posix.basename(name, suffix)}\n`);
  return 0;
};

export const dirname: Applet = async (invocation) => {
  for (const name of invocation.args) await print(invocation, `${posix.dirname(name)}\n`);
  return 0;
};

export const mkdir: Applet = (invocation) => {
  const { shell } = invocation;
  const { flags, values, rest } = parseOptions(invocation.args, 'm');
  const mode = Number.parseInt(values.get('m')?.[0] ?? '755', 8);
  const make = (path: string) => {
    if (flags.has('p')) {
      if (shell.exists(path)) return;
      make(posix.dirname(path));
    }
    shell.device.files.makeDirectory(path, shell.uid, mode);
  };
  return forEachName(invocation, rest, (name) => make(shell.path(name)), inQuotes);
};

export const rm: Applet = (invocation) => {
  const { shell } = invocation;
  const { flags, rest } = parseOptions(invocation.args);
  const recursive = flags.has('r') || flags.has('R');
  const names = flags.has('f') ? rest.filter((name) => shell.exists(shell.path(name))) : rest;
  return forEachName(invocation, names, (name) =>
    shell.device.files.remove(shell.path(name), shell.uid, { recursive }),
  );
};

export const chmod: Applet = (invocation) => {
  const [mode = '', ...names] = parseOptions(invocation.args).rest;
  if (!/^[0-7]{3,4}$/.test(mode)) throw new SystemCallError('EINVAL');
  const { shell } = invocation;
  return forEachName(invocation, names, (name) =>
    shell.device.files.changeMode(shell.path(name), Number.parseInt(mode, 8), shell.uid),
  );
};

/** `cp FILE TO`, `mv FILE TO`: of single files. */
export const copy: Applet = (invocation) => {
  const { shell } = invocation;
  const { files } = shell.device;
  const [from = '', to = ''] = parseOptions(invocation.args).rest;
  return forEachName(invocation, [from], () => {
    const target = shell.path(to);
    const intoFolder = shell.exists(target) && files.stat(target, shell.uid).kind === 'directory';
    const path = intoFolder ? posix.join(target, posix.basename(from)) : target;
    files.write(path, files.read(shell.path(from), shell.uid), shell.uid);
    if (invocation.name === 'mv') files.remove(shell.path(from), shell.uid);
  });
};

export const touch: Applet = (invocation) => {
  const { shell } = invocation;
  return forEachName(invocation, parseOptions(invocation.args).rest, (name) => {
    if (!shell.exists(shell.path(name)))
      shell.device.files.write(shell.path(name), Buffer.alloc(0), shell.uid);
  });
};

let lastTemporary = 0;

export const mktemp: Applet = async (invocation) => {
  const { shell } = invocation;
  const { flags, values, rest } = parseOptions(invocation.args, 'p');
  const folder = values.get('p')?.[0] ?? '/data/local/tmp';
  lastTemporary += 1;
  const unique = lastTemporary.toString(36).padStart(6, '0');
  const template = rest[0] ?? posix.join(folder, 'tmp.XXXXXX');
  const path = shell.path(template.replace(/X{6,}$/, unique));
  if (flags.has('d')) shell.device.files.makeDirectory(path, shell.uid, 0o700);
  else shell.device.files.write(path, Buffer.alloc(0), shell.uid, 0o600);
  await print(invocation, `${path}\n`);
  return 0;
};
