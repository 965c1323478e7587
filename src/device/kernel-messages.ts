import type { LogLine } from './kernel-log';

/**
 * How much a message matters: `reason` is why a module was refused, `fault`
 * is code that went wrong while it ran, `note` is worth knowing and no failure.
 */
export type MessageKind = 'reason' | 'fault' | 'note';

/** A line of the kernel's log, and what it means where kh knows it. */
export interface ExplainedLine extends LogLine {
  kind?: MessageKind;
  meaning?: string;
  whatToDo?: string;
}

interface Explanation {
  kind: MessageKind;
  meaning: string;
  whatToDo?: string;
}

/** @returns the lines, with an explanation where the message is a known one */
export function explainLines(lines: LogLine[]): ExplainedLine[] {
  return lines.map((line) => ({ ...line, ...explain(line.text) }));
}

function explain(text: string): Explanation | undefined {
  for (const [pattern, explanation] of KNOWN) {
    const match = pattern.exec(text);
    if (match !== null) return explanation(...(match as unknown as [string, string, string]));
  }
  return undefined;
}

/** An explanation asks for no more groups than its pattern has. */
type Known = [pattern: RegExp, explanation: (whole: string, first: string, second: string) => Explanation];

export const BUILD_FOR_THIS = 'Build it for the kernel that runs: `kh build-module`.';
const SEE_STACK = 'The lines below name the function. The kernel is damaged now: reboot before the next try.';

function known(pattern: RegExp, kind: MessageKind, meaning: string, whatToDo?: string): Known {
  return [pattern, () => ({ kind, meaning, ...(whatToDo === undefined ? {} : { whatToDo }) })];
}

/**
 * The loader's messages, by what mainline, Android and the architectures print.
 *
 * @see linux kernel/module/main.c, kernel/module/version.c, kernel/params.c, arch/arm64/kernel/module.c
 */
const KNOWN: Known[] = [
  [/version magic '(.*)' should be '(.*)'/, (_, had, wanted) => explainVermagic(had, wanted)],
  [/disagrees about version of symbol (\S+)/, (_, symbol) => explainChecksum(symbol)],
  [/Unknown symbol (\S+) \(err (-?\d+)\)/, (_, symbol, error) => explainUnknown(symbol, error)],
  [
    /Protected symbol:? (\S+) \(err/,
    (_, symbol) => ({
      kind: 'reason',
      meaning: `this GKI kernel keeps ${symbol} for modules that are signed with its own key`,
      whatToDo: 'Do without it: only the symbols of the KMI are free to use.',
    }),
  ],
  [
    /exports protected symbol (\S+)/,
    (_, symbol) => ({
      kind: 'reason',
      meaning: `this GKI kernel lets only its own modules export ${symbol}`,
      whatToDo: 'Export it under another name.',
    }),
  ],
  [
    /uses symbol \(?([^\s)]+)\)? from namespace (\S+), but does not import it/,
    (_, symbol, namespace) => ({
      kind: 'reason',
      meaning: `${symbol} is exported into the namespace ${namespace}`,
      whatToDo: `Add MODULE_IMPORT_NS(${namespace}) to the source; from 6.13 on, MODULE_IMPORT_NS("${namespace}").`,
    }),
  ],
  [
    /exports duplicate symbol (\S+) \(owned by (\S+)\)/,
    (_, symbol, owner) => ({
      kind: 'reason',
      meaning:
        owner === 'kernel'
          ? `${symbol} is in the kernel itself`
          : `${symbol} is exported by ${owner} already`,
      whatToDo:
        owner === 'kernel'
          ? 'This code is built in: there is nothing to load.'
          : `\`kh unload-module ${owner}\` makes room for it.`,
    }),
  ],
  [
    /[`']([^`']*)' invalid for parameter [`']([^`']+)'/,
    (_, value, parameter) => ({
      kind: 'reason',
      meaning: `the parameter ${parameter} does not take "${value}"`,
      whatToDo: '`modinfo -p` on the .ko shows what it takes.',
    }),
  ],
  [
    /[`']([^`']*)' too large for parameter [`']([^`']+)'/,
    (_, value, parameter) => ({
      kind: 'reason',
      meaning: `the value of ${parameter} has ${value.length} characters, more than there is room for`,
    }),
  ],
  [
    /unknown parameter '(.*)' ignored/,
    (_, parameter) => ({
      kind: 'note',
      meaning: `the module has no parameter ${parameter}: it was loaded without`,
      whatToDo: '`modinfo -p` on the .ko lists those it has.',
    }),
  ],
  known(
    /module PLT section\(s\) missing/,
    'reason',
    'it was linked without the linker script of arm64 modules',
    BUILD_FOR_THIS,
  ),
  known(
    /gnu\.linkonce\.this_module/,
    'reason',
    'it was built with the headers of another kernel, or its .mod.c was not linked in',
    BUILD_FOR_THIS,
  ),
  known(
    /please compile with -fno-common/,
    'reason',
    'it has a variable that is common to several files',
    'Compile with -fno-common, and define the variable in one file only.',
  ),
  known(
    /no versions for exported symbols/,
    'reason',
    'it exports symbols without their checksums',
    BUILD_FOR_THIS,
  ),
  known(
    /Loading of .* is rejected/,
    'reason',
    'this kernel loads only modules that are signed with a key it knows',
    'Sign it with the key of the kernel build, or boot a kernel that does not enforce signatures.',
  ),
  known(
    /LoadPin: kernel-module|Lockdown: .*module/,
    'reason',
    'the security policy of this kernel (LoadPin or lockdown) forbids modules from here',
    'The module has to be on the partition that is trusted, or the policy off.',
  ),
  known(
    /avc: +denied +\{[^}]*\b(?:module_load|sys_module)\b[^}]*\}/,
    'reason',
    'SELinux forbids loading it',
    'On a userdebug build: `adb root`, then `adb shell setenforce 0`.',
  ),
  known(/Invalid architecture in ELF header/, 'reason', 'it was built for another processor'),
  known(
    /Invalid ELF|module has no symbols/,
    'reason',
    'the file is damaged, or was stripped of its symbols',
    'Strip modules with `llvm-strip --strip-debug` only.',
  ),
  known(
    /unsupported RELA relocation|overflow in relocation type|likely not compiled with -mcmodel/,
    'reason',
    'it was compiled with flags that modules cannot have (-fPIE, another code model)',
    BUILD_FOR_THIS,
  ),
  known(
    /livepatch module, but livepatch support is disabled/,
    'reason',
    'this kernel cannot be patched while it runs (CONFIG_LIVEPATCH)',
  ),
  known(
    /cannot create duplicate filename '\/module\//,
    'reason',
    'a module of that name is in the kernel already',
  ),
  known(
    /failed to validate module \[.*\] BTF/,
    'reason',
    'its BTF was made against another kernel',
    'Build without BTF: CONFIG_DEBUG_INFO_BTF_MODULES, or strip the section .BTF.',
  ),
  known(
    /init suspiciously returned/,
    'note',
    'its init function returned a positive number: 0 is success, a negative number an error',
  ),
  known(
    /CFI failure|Oops - CFI/,
    'fault',
    'an indirect call went to a function of another type, or to code that was compiled without kCFI',
    'Compile with -fsanitize=kcfi, as `kh build-module` does, and give each callback exactly the type of the pointer.',
  ),
  known(
    /Kernel panic - not syncing/,
    'fault',
    'the kernel gave up',
    'It restarts. What it last said is in /sys/fs/pstore.',
  ),
  known(
    /Internal error: |Unable to handle kernel|general protection fault|^BUG: |kernel BUG at/,
    'fault',
    'code went wrong inside the kernel',
    SEE_STACK,
  ),
  known(
    /^WARNING: /,
    'fault',
    'code in the kernel met what it did not expect, and went on',
    'The lines below name the function.',
  ),
  known(
    /loading out-of-tree module taints kernel/,
    'note',
    'normal for a module that is not part of the kernel',
  ),
  known(
    /module verification failed: signature/,
    'note',
    'it is not signed; this kernel loads it all the same',
  ),
  known(
    /module license .*taints kernel/,
    'note',
    'its MODULE_LICENSE is not a free one: symbols that are GPL-only stay closed to it',
  ),
  [
    /no symbol version for (\S+)/,
    (_, symbol) => ({
      kind: 'note',
      meaning: `the module has no checksum for ${symbol}; only some distributions' kernels refuse that`,
      whatToDo: '`kh symvers` gives a Module.symvers to build with.',
    }),
  ],
];

function explainVermagic(had: string, wanted: string): Explanation {
  const [hadRelease = '', ...hadRest] = had.trim().split(' ');
  const [wantedRelease = '', ...wantedRest] = wanted.trim().split(' ');
  const lacks = wantedRest.filter((word) => !hadRest.includes(word));
  const extra = hadRest.filter((word) => !wantedRest.includes(word));
  const settings = [
    ...(lacks.length === 0 ? [] : [`without ${lacks.join(', ')}`]),
    ...(extra.length === 0 ? [] : [`with ${extra.join(', ')}`]),
  ].join(', and ');
  const built = hadRelease === wantedRelease ? 'it was built' : `it was built for kernel ${hadRelease}`;
  const runs = hadRelease === wantedRelease ? '' : `, and ${wantedRelease} runs`;
  return {
    kind: 'reason',
    meaning: `${built}${settings === '' ? '' : ` ${settings}`}${runs}`,
    whatToDo: BUILD_FOR_THIS,
  };
}

/** A CRC over the types that a symbol's declaration reaches; that of module_layout stands for the configuration. */
function explainChecksum(symbol: string): Explanation {
  return {
    kind: 'reason',
    meaning:
      symbol === 'module_layout'
        ? 'it was built for a kernel with another configuration'
        : `the types that ${symbol} takes are others in this kernel than where the module was built`,
    whatToDo: 'Build it with the headers and the Module.symvers of the kernel that runs: `kh build-module`.',
  };
}

function explainUnknown(symbol: string, error: string): Explanation {
  switch (error) {
    case '-2':
      return {
        kind: 'reason',
        meaning: `nothing that is loaded exports ${symbol} to it`,
        whatToDo: `Load the module that exports it first. If there is none: \`kh symvers\` lists what this kernel exports, and what of it is GPL-only.`,
      };
    case '-13':
      return {
        kind: 'reason',
        meaning: `${symbol} is closed to modules that are not signed with the kernel's own key`,
      };
    default:
      return {
        kind: 'reason',
        meaning: `${symbol} was found and refused: its checksum or its namespace, as the line before says`,
        whatToDo: BUILD_FOR_THIS,
      };
  }
}
