import { KhError } from '../core/errors';
import type { ConfiguredHeaders } from './kernel-config';
import type { Refusal } from './privilege';
import { ARCHIVE_PATHS, type ArchiveSighting } from './probe';

const IMPORT_HINT = 'an archive from the build of this kernel serves as well';

/** The archive is there, and may not be read. */
export function deniedError(serial: string, seen: ArchiveSighting, refusals: Refusal[]): KhError {
  return new KhError('HEADERS_DENIED', {
    serial,
    message: `${seen.path} is there, but reading it is denied to the shell user${refusalText(refusals)}`,
    hint: rootHint(refusals),
    details: { path: seen.path, bytes: seen.bytes, refusals },
  });
}

/** The module is there, but loading takes root, which was refused. */
export function lockedModuleError(serial: string, path: string, refusals: Refusal[]): KhError {
  return new KhError('HEADERS_MODULE_UNLOADABLE', {
    serial,
    message: `the headers are in ${path}, which is not loaded; loading it is denied to the shell user${refusalText(refusals)}`,
    hint: rootHint(refusals),
    details: { path, refusals },
  });
}

/** Neither archive nor module. */
export function absentError(
  serial: string,
  release: string,
  configured: ConfiguredHeaders,
  refusals: Refusal[],
): KhError {
  const places = ARCHIVE_PATHS.join(' nor ');
  const { message, hint } = ABSENT[configured ?? 'unknown'];
  return new KhError('HEADERS_ABSENT', {
    serial,
    message: `kernel ${release} has neither ${places}, ${message}${configured === 'n' ? '' : refusalText(refusals)}`,
    hint,
    details: { release, configured: configured ?? null, refusals },
  });
}

const ABSENT = {
  n: {
    message: 'and was built without CONFIG_IKHEADERS',
    hint: 'Boot a kernel built with CONFIG_IKHEADERS=y or =m: every GKI kernel since 5.10 is.',
  },
  y: {
    message: 'although its configuration says CONFIG_IKHEADERS=y',
    hint: 'Is sysfs mounted at /sys? Some vendors hide the file: try --privilege su.',
  },
  m: {
    message: 'and no kheaders.ko was found, although it was built with CONFIG_IKHEADERS=m',
    hint: 'The module belongs in the system_dlkm partition: flash the system_dlkm image of this kernel.',
  },
  unknown: {
    message: 'and no kheaders.ko was found',
    hint: 'Without root not every module folder can be searched: on a userdebug build or a rooted phone, --privilege auto looks further.',
  },
} as const;

function refusalText(refusals: Refusal[]): string {
  return refusals.map(({ why }) => `; ${why}`).join('');
}

function rootHint(refusals: Refusal[]): string {
  if (refusals.length === 0) {
    return `Let kh climb to root with --privilege auto (adb root, then su); or ${IMPORT_HINT}.`;
  }
  return `What would help: a userdebug build (adb root), or a rooted phone that grants su to the shell; ${IMPORT_HINT}.`;
}
