import type { CallOptions } from '../adb/adb-device';
import { runWith, type Access } from './access';
import { script } from './script';

/** How root is to be had on a device; `none` where nothing shows a way. */
export type RootWay = 'adbd' | 'adb-root' | 'su' | 'none';

/** What a device lets kh do, as far as it can be seen from the shell user's place. */
export interface Abilities {
  root: RootWay;
  /** Whether the running slot's boot partition is where Android has it. */
  bootPartition: boolean;
  /** Whether the kernel shows its BTF. */
  btf: boolean;
}

/**
 * Looks for ways to root, the boot partition and BTF in one round trip, and
 * goes none of these ways: no su is run, as a phone would ask its owner.
 *
 * `ro.debuggable` is what adbd itself decides `adb root` by.
 *
 * @see AOSP packages/modules/adb/daemon/restart_service.cpp
 */
export async function askAbilities(access: Access, options: CallOptions): Promise<Abilities> {
  const questions = script(QUESTIONS);
  const { stdout } = await runWith(access, questions.commandLine, { purpose: 'asking for root', ...options });
  const answers = questions.parse(stdout);
  const said = (name: string) => (answers.get(name) ?? '') !== '';
  return {
    root: rootWay(answers.get('uid'), answers.get('debuggable'), said('su')),
    bootPartition: said('boot'),
    btf: said('btf'),
  };
}

function rootWay(uid: string | undefined, debuggable: string | undefined, su: boolean): RootWay {
  if (uid === '0') return 'adbd';
  if (debuggable === '1') return 'adb-root';
  return su ? 'su' : 'none';
}

/** The folder of links to partitions may be searched by the shell user, where it can't be listed. */
const QUESTIONS = {
  uid: 'id -u',
  debuggable: 'getprop ro.debuggable',
  su: 'command -v su',
  boot: [
    'slot=$(getprop ro.boot.slot_suffix 2>/dev/null)',
    'for boot in /dev/block/by-name/boot$slot /dev/block/bootdevice/by-name/boot$slot; do',
    'if [ -e "$boot" ]; then echo "$boot"; break; fi; done',
  ].join('\n'),
  btf: 'if [ -e /sys/kernel/btf/vmlinux ]; then echo yes; fi',
};
