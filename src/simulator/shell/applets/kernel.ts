import { posix } from 'node:path';
import { SystemCallError } from '../../errno';
import { ROOT_UID } from '../../file-system';
import { complain, parseOptions, print, type Applet, type Invocation } from './invocation';

/** Toolbox's modprobe, which wants its folders named, came with Android 11. */
const FIRST_SDK_WITH_TOOLBOX_MODPROBE = 30;

/** A file that has lost its name is reached so. */
const STDIN = '/proc/self/fd/0';

export const uname: Applet = async (invocation) => {
  const { release, version, machine } = invocation.shell.device.kernel;
  const { flags } = parseOptions(invocation.args);
  const fields: [string, string][] = [
    ['s', 'Linux'],
    ['n', 'localhost'],
    ['r', release],
    ['v', version],
    ['m', machine],
  ];
  const wanted = flags.size === 0 ? new Set('s') : flags;
  const words = fields.filter(([letter]) => wanted.has(letter) || wanted.has('a')).map(([, word]) => word);
  await print(invocation, `${[...words, ...(wanted.has('a') ? ['Toybox'] : [])].join(' ')}\n`);
  return 0;
};

export const insmod: Applet = async (invocation) => {
  const { shell } = invocation;
  const [path = ''] = invocation.args;
  if (shell.uid !== ROOT_UID) return refuse(invocation, 'Not root');
  try {
    const stdin = path === STDIN ? await invocation.stdin.readAll(shell.signal) : undefined;
    loadFrom(invocation, shell.path(path), stdin);
    return 0;
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    const missing = error.errno === 'ENOENT' || error.errno === 'EACCES';
    return refuse(invocation, `${missing ? '' : 'failed to load '}${path}: ${error.message}`);
  }
};

/** @param content of the file; read from `path` where it is not given */
function loadFrom({ shell }: Invocation, path: string, content?: Buffer): void {
  const { device, uid } = shell;
  device.modules.load(content ?? device.files.read(path, uid), moduleName(path), uid);
  device.counters.modulesLoaded += 1;
}

/** `/lib/modules/foo-bar.ko` → `foo_bar` */
function moduleName(path: string): string {
  return posix.basename(path).replace(/\.ko$/, '').replaceAll('-', '_');
}

export const rmmod: Applet = async (invocation) => {
  if (invocation.shell.uid !== ROOT_UID) return refuse(invocation, 'Not root');
  let status = 0;
  for (const name of parseOptions(invocation.args).rest.map(moduleName)) {
    try {
      unload(invocation, name);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      status = await refuse(invocation, `failed to unload ${name}: ${error.message}`);
    }
  }
  return status;
};

function unload({ shell }: Invocation, name: string): void {
  shell.device.modules.unload(name, shell.uid);
  shell.device.counters.modulesUnloaded += 1;
}

export const lsmod: Applet = async (invocation) => {
  const rows = invocation.shell.device.modules.table().split('\n').filter(Boolean);
  const lines = rows
    .map((row) => row.split(' '))
    .map(([name = '', size = '']) => `${name.padEnd(23)} ${size.padStart(8)}  0\n`);
  await print(invocation, `Module                      Size  Used by\n${lines.join('')}`);
  return 0;
};

/**
 * `modprobe [-d DIR]… [-r|-l|-D] NAME…`. Since Android 11 it wants the folders
 * named; before, it looked below /lib/modules by itself.
 */
export const modprobe: Applet = async (invocation) => {
  const { device } = invocation.shell;
  const { flags, values, rest } = parseOptions(invocation.args, 'd');
  const toolbox = device.parts.description.sdk >= FIRST_SDK_WITH_TOOLBOX_MODPROBE;
  const folders = values.get('d') ?? (toolbox ? [] : [`/lib/modules/${device.kernel.release}`]);
  if (folders.length === 0) return refuse(invocation, 'No module configuration directories given.');
  const available = folders.flatMap((folder) => listedModules(invocation, folder));
  if (flags.has('l')) {
    for (const path of available) await print(invocation, `${path}\n`);
    return 0;
  }
  let status = 0;
  for (const name of rest.map(moduleName)) {
    const path = available.find((candidate) => moduleName(candidate) === name);
    try {
      if (path === undefined) throw new SystemCallError('ENOENT');
      if (flags.has('D')) await print(invocation, `insmod ${path}\n`);
      else if (flags.has('r')) unload(invocation, name);
      else if (!device.modules.names().includes(name)) loadFrom(invocation, path);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      const what = flags.has('r') ? 'remove' : 'load';
      status = await refuse(invocation, `Failed to ${what} module ${name}: ${error.message}`);
    }
  }
  return status;
};

/** The paths in a folder's modules.dep, which are relative to it unless they begin with a slash. */
function listedModules({ shell }: Invocation, folder: string): string[] {
  try {
    const text = shell.device.files
      .read(posix.join(shell.path(folder), 'modules.dep'), shell.uid)
      .toString('utf8');
    return text.split('\n').flatMap((line) => {
      const path = /^([^:]+):/.exec(line)?.[1];
      return path === undefined ? [] : [posix.resolve(shell.path(folder), path)];
    });
  } catch (error) {
    if (error instanceof SystemCallError) return [];
    throw error;
  }
}

export const dmesg: Applet = async (invocation) => {
  const { shell } = invocation;
  if (shell.uid !== ROOT_UID) return refuse(invocation, 'klogctl: Operation not permitted');
  const lines = shell.device.kernelLog.map(
    (line, index) => `[${(12 + index / 10).toFixed(6).padStart(12)}] ${line}\n`,
  );
  await print(invocation, lines.join(''));
  return 0;
};

async function refuse(invocation: Invocation, text: string): Promise<1> {
  await complain(invocation, text);
  return 1;
}
