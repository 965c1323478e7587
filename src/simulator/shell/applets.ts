import { posix } from 'node:path';
import type { SimulatedDevice } from '../simulated-device';
import * as android from './applets/android';
import * as data from './applets/data';
import * as files from './applets/files';
import type { Applet } from './applets/invocation';
import * as kernel from './applets/kernel';
import * as text from './applets/text';
import type { Shell } from './shell';

const nothing: Applet = () => 0;

/** The commands in a device's /system/bin. */
const APPLETS = new Map<string, Applet>([
  ['basename', files.basename],
  ['cat', files.cat],
  ['chmod', files.chmod],
  ['cp', files.copy],
  ['cut', text.cutColumns],
  ['dd', data.dd],
  ['dirname', files.dirname],
  ['dmesg', kernel.dmesg],
  ['egrep', (invocation) => text.grep({ ...invocation, args: ['-E', ...invocation.args] })],
  ['find', files.find],
  ['getprop', android.getprop],
  ['grep', text.grep],
  ['head', text.headOrTail],
  ['id', android.id],
  ['insmod', kernel.insmod],
  ['kill', nothing],
  ['logcat', nothing],
  ['ls', files.ls],
  ['lsmod', kernel.lsmod],
  ['md5sum', data.checksum],
  ['mkdir', files.mkdir],
  ['mktemp', files.mktemp],
  ['modprobe', kernel.modprobe],
  ['mv', files.copy],
  ['printf', text.printf],
  ['readlink', files.readlink],
  ['rm', files.rm],
  ['rmmod', kernel.rmmod],
  ['sed', text.sed],
  ['setprop', android.setprop],
  ['sh', android.sh],
  ['sha1sum', data.checksum],
  ['sha256sum', data.checksum],
  ['sha512sum', data.checksum],
  ['sleep', android.pause],
  ['sort', text.sortLines],
  ['stat', files.stat],
  ['su', android.su],
  ['sync', nothing],
  ['tail', text.headOrTail],
  ['touch', files.touch],
  ['toybox', android.toybox],
  ['tr', text.translate],
  ['uname', kernel.uname],
  ['uniq', text.sortLines],
  ['wc', text.wc],
  ['whoami', android.whoami],
]);

/** The API level that a command came with, where that matters. */
const SINCE: Record<string, number | undefined> = { sha256sum: 24, sha512sum: 24, modprobe: 27 };

/** The names of the commands that a device has. */
export function appletNames(device: SimulatedDevice): string[] {
  const { sdk, su, md5sum } = device.parts.description;
  return [...APPLETS.keys()].filter((name) => {
    if (name === 'su') return su !== 'none';
    if (name === 'md5sum') return md5sum;
    return sdk >= (SINCE[name] ?? 0);
  });
}

/** The command of this name, or at this path, if the device has it. */
export function findApplet(shell: Shell, name: string): Applet | undefined {
  const base = posix.basename(name);
  if (!appletNames(shell.device).includes(base)) return undefined;
  return name.includes('/') && !shell.exists(shell.path(name)) ? undefined : APPLETS.get(base);
}
