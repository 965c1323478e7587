import type { HeadersOrigin, Verdict } from '../core/events';
import { formatFields, parseFields, type Fields } from './json-fields';

/** `file`: an archive that was imported; `image`: one that was carved out of an image. */
export type RecordedOrigin = HeadersOrigin | 'file' | 'image';

/** An archive in the store. */
interface ArchiveName {
  sha256: string;
  md5: string;
  bytes: number;
}

/** What `workspace.json` holds: what was pulled, from where, and what it was checked against. */
export interface WorkspaceRecord {
  device: {
    /** Of its folder in the store. */
    name: string;
    /** `ro.serialno`; empty where the device has none. */
    serialno: string;
    /** The adb serials that it was seen under, the latest last. */
    serials: string[];
    model?: string;
    product?: string;
    androidVersion?: string;
  };
  kernel: {
    /** `uname -r` */
    release: string;
    /** `uname -v`; empty where it is not known, of an archive that was imported. */
    version: string;
    /** `uname -m` */
    machine: string;
    /** The kernel's own name of the architecture, as in `arch/arm64`. */
    arch: string;
    /** Of the boot in which it was last checked; absent where the device does not tell. */
    bootId?: string;
  };
  /** Where the archive was: on the device; or on this machine, where it was imported. */
  headers: { path: string; origin: RecordedOrigin; bytes: number };
  archive: ArchiveName;
  /** The archive with the kernel's build files, where they were imported with the headers. */
  kernelBuild?: ArchiveName;
  verdict: Verdict;
  /** How many links in the tree lead nowhere. */
  danglingLinks: number;
  /** ISO times: of the first pull, and of the last that found all in order. */
  pulledAt: string;
  checkedAt: string;
  /** The version of kh that wrote this. */
  kh: string;
}

/** What tells the form of the record. */
export const WORKSPACE_FORM = { kind: 'workspace', version: 1 };

/** The record as the text of `workspace.json`. */
export function formatWorkspaceRecord(record: WorkspaceRecord): string {
  return formatFields({ workspace: 1, ...record });
}

/**
 * Reads `workspace.json`, and believes nothing that is not of the right kind.
 *
 * @throws KhError STORE_DAMAGED, STORE_NEWER
 */
export function parseWorkspaceRecord(text: string, path: string): WorkspaceRecord {
  const hint = 'Pull again, or remove it with `kh workspace remove`.';
  const fields = parseFields(text, { ...WORKSPACE_FORM, path, hint });
  const headers = fields.object('headers');
  const kernelBuild = fields.optionalObject('kernelBuild');
  return {
    device: parseDevice(fields.object('device')),
    kernel: parseKernel(fields.object('kernel')),
    headers: {
      path: headers.text('path'),
      origin: headers.oneOf('origin', ['built-in', 'module', 'file', 'image']),
      bytes: headers.count('bytes'),
    },
    archive: parseArchive(fields.object('archive')),
    ...(kernelBuild === undefined ? {} : { kernelBuild: parseArchive(kernelBuild) }),
    verdict: parseVerdict(fields.object('verdict')),
    danglingLinks: fields.count('danglingLinks'),
    pulledAt: fields.time('pulledAt'),
    checkedAt: fields.time('checkedAt'),
    kh: fields.text('kh'),
  };
}

function parseArchive(fields: Fields): ArchiveName {
  return {
    sha256: fields.digest('sha256', 64),
    md5: fields.digest('md5', 32),
    bytes: fields.count('bytes'),
  };
}

function parseDevice(fields: Fields): WorkspaceRecord['device'] {
  const model = fields.optionalText('model');
  const product = fields.optionalText('product');
  const androidVersion = fields.optionalText('androidVersion');
  return {
    name: fields.text('name'),
    serialno: fields.text('serialno'),
    serials: fields.texts('serials'),
    ...(model === undefined ? {} : { model }),
    ...(product === undefined ? {} : { product }),
    ...(androidVersion === undefined ? {} : { androidVersion }),
  };
}

function parseKernel(fields: Fields): WorkspaceRecord['kernel'] {
  const bootId = fields.optionalText('bootId');
  return {
    release: fields.text('release'),
    version: fields.text('version'),
    machine: fields.text('machine'),
    arch: fields.text('arch'),
    ...(bootId === undefined ? {} : { bootId }),
  };
}

const CHECKS = ['size', 'device-md5', 'manifest', 'xz', 'required-files', 'release'] as const;

function parseVerdict(fields: Fields): Verdict {
  const manifest = fields.optionalObject('manifest');
  return {
    trust: fields.oneOf('trust', ['trusted', 'unverified']),
    checks: fields.manyOf('checks', CHECKS),
    ...(manifest === undefined
      ? {}
      : {
          manifest: {
            path: manifest.text('path'),
            form: manifest.text('form'),
            digest: manifest.oneOf('digest', ['md5', 'sha256']),
          },
        }),
  };
}
