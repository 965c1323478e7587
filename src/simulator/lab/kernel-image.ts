import { gzipSync } from 'node:zlib';
import type { Errno } from '../errno';
import { KERNEL_PAGE, systemFile, type FileNode } from '../file-system';
import { makeModule, type ModuleRules } from '../kernel-modules';
import type { Kernel, KernelImage } from '../simulated-device';
import type { LabArchives } from './lab-archives';
import type { BootDescription, HeadersDescription } from './lab-description';

const ARCHIVE_PATH = '/sys/kernel/kheaders.tar.xz';
const MODULE_PATH = '/system_dlkm/lib/modules/kheaders.ko';
const KERNEL: Kernel = {
  release: '6.1.99-android14-11-g0123456789ab-ab12345678',
  version: '#1 SMP PREEMPT Thu Jan  1 00:00:00 UTC 2024',
  machine: 'aarch64',
};

/**
 * Makes what a device boots of its description: the kernel, and the files that
 * come with it. Files that the description has itself are not among them.
 *
 * @throws KhError USAGE where an archive can't be read; XZ_UNAVAILABLE
 */
export async function makeKernelImage(
  { kernel: named, headers = { kind: 'built-in' }, files: own = {} }: BootDescription,
  archives: LabArchives,
): Promise<KernelImage> {
  const kernel = { ...KERNEL, ...named };
  const archive =
    headers.kind === 'absent' ? undefined : await archives.bytesOf(headers.archive ?? 'sample', kernel);
  const files: [string, FileNode][] = [
    ...headersFiles(headers, kernel.release, archive, archives),
    ['/proc/config.gz', systemFile(configOf(headers.kind))],
  ];
  return {
    kernel,
    moduleRules: moduleRules(headers, archive),
    bootModules: headers.kind === 'module' && headers.loaded ? ['kheaders'] : [],
    files: new Map(files.filter(([path]) => !Object.hasOwn(own, path))),
  };
}

function moduleRules(headers: HeadersDescription, archive: Buffer | undefined): KernelImage['moduleRules'] {
  const rules: Omit<ModuleRules, 'release'> = { files: new Map(), refused: new Map<string, Errno>() };
  if (headers.kind === 'module' && archive !== undefined) {
    const path = headers.path ?? ARCHIVE_PATH;
    rules.files.set('kheaders', { path, content: archive, pageSize: KERNEL_PAGE });
  }
  if (headers.kind === 'module-broken') rules.refused.set('kheaders', headers.error ?? 'ENOEXEC');
  return rules;
}

function headersFiles(
  headers: HeadersDescription,
  release: string,
  archive: Buffer | undefined,
  archives: LabArchives,
): [path: string, file: FileNode][] {
  if (archive === undefined || headers.kind === 'absent') return [];
  if (headers.kind === 'built-in' || headers.kind === 'denied') {
    const closed: Partial<FileNode> =
      headers.kind === 'built-in' ? {} : headers.by === 'mode' ? { mode: 0o400 } : { denied: true };
    return [[headers.path ?? ARCHIVE_PATH, systemFile(archive, { pageSize: KERNEL_PAGE, ...closed })]];
  }
  const file = headers.file ?? MODULE_PATH;
  const content = archives.share(`module ${release}`, archive, () =>
    makeModule('kheaders', release, archive),
  );
  const module: [string, FileNode] = [file, systemFile(content, { mode: 0o644 })];
  const [, folder, path] = /^(.*\/lib\/modules(?:\/[^/]+(?=\/))?)\/(.*)$/.exec(file) ?? [];
  if (headers.modulesDep === false || folder === undefined || path === undefined) return [module];
  return [module, [`${folder}/modules.dep`, systemFile(Buffer.from(`${path}:\n`), { mode: 0o644 })]];
}

const configs = new Map<string, Buffer>();

/** A small .config, compressed; one for all devices of a kind. */
function configOf(headersKind: HeadersDescription['kind']): Buffer {
  const value = headersKind.startsWith('module') ? 'm' : 'y';
  const setting = headersKind === 'absent' ? '# CONFIG_IKHEADERS is not set' : `CONFIG_IKHEADERS=${value}`;
  const known = configs.get(setting);
  if (known !== undefined) return known;
  const lines = [
    '#',
    '# Automatically generated file; DO NOT EDIT.',
    '#',
    'CONFIG_IKCONFIG=y',
    'CONFIG_IKCONFIG_PROC=y',
    setting,
  ];
  const config = gzipSync(`${[...lines, 'CONFIG_MODULES=y', 'CONFIG_MODVERSIONS=y'].join('\n')}\n`);
  configs.set(setting, config);
  return config;
}
