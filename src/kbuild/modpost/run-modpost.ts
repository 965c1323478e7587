import type { SymversEntry } from '../symvers/symvers-file';
import { listCallSites, type CallSiteForm } from './call-sites';
import { checkCommon, checkExports, checkTrimmed } from './definitions';
import { readAliases } from './device-table';
import type { Diagnostic } from './diagnostic';
import { checkExceptionTable } from './exception-table';
import { exportCrc, objectDigest, sourceVersion } from './digest';
import {
  checkGplOnly,
  checkLongNames,
  checkNamespaces,
  checkUndefined,
  checkUnknownCrcs,
  resolveImports,
  type Import,
} from './imports';
import { isAtLeast } from '../kernel-config';
import type { KernelTarget } from './kernel-target';
import { checkDescription, checkLicence } from './licence';
import { formatModC } from './mod-c';
import { readModuleObject, type ModuleObject } from './module-object';
import { checkSections } from './section-mismatch';
import { joinSymbols, type SymbolTable } from './symbol-table';

export interface ModpostInput {
  /** Each module's object, by the path that make knows it by. */
  objects: { path: string; bytes: Buffer }[];
  kernel: KernelTarget;
  /** What the kernel exports, modules on the device included; undefined when it is not known: nothing counts as missing then. */
  kernelExports: SymversEntry[] | undefined;
  /** What modules built before export (KBUILD_EXTRA_SYMBOLS). */
  extraExports: SymversEntry[];
  /** KBUILD_MODPOST_WARN: a module with undefined symbols is made all the same. */
  warnOnly: boolean;
  /** Where it is modpost that lists for ftrace what can be traced: what the kernel expects there. */
  callSites?: CallSiteForm | undefined;
  /** Every symbol of the running kernel, with the module that has it; asked only when something is missing. */
  kernelSymbols: () => ReadonlyMap<string, string>;
}

export interface ModpostResult {
  /** The source that completes each module, by the path of its object. */
  sources: Map<string, string>;
  /** Each object with its call sites listed, by its path; empty without `callSites`. */
  traceable: Map<string, Buffer>;
  /** What the modules export. */
  symvers: SymversEntry[];
  diagnostics: Diagnostic[];
}

/**
 * Does what the kernel's modpost does between compiling modules and linking
 * them: finds who provides what they use, checks what the kernel would
 * refuse, and writes what is missing. Modules of one build see each other's
 * exports.
 *
 * @throws KhError BUILD_BAD_OBJECT
 */
export function runModpost(input: ModpostInput): ModpostResult {
  const { kernel, kernelExports, extraExports, callSites } = input;
  const modules = input.objects.map(({ path, bytes }) => readModuleObject(bytes, path));
  const crcs = kernel.versionTables.basic || kernel.versionTables.extended;
  const digests = new Map<ModuleObject, string>();
  const digestOf = (module: ModuleObject) => {
    const digest = digests.get(module) ?? objectDigest(module);
    digests.set(module, digest);
    return digest;
  };
  const crcOf = (module: ModuleObject, name: string) =>
    crcs ? exportCrc(digestOf(module), name) : undefined;

  const { table, own } = joinSymbols([...(kernelExports ?? []), ...extraExports], modules, crcOf);
  const diagnostics = [...own.diagnostics];
  const sources = new Map<string, string>();
  const traceable = new Map<string, Buffer>();
  for (const module of modules) {
    const imports = resolveImports(module, table);
    const { aliases, diagnostics: tableProblems } = readAliases(module, kernel);
    diagnostics.push(...checkModule(module, imports, table, input), ...tableProblems);
    const wantsVersion = module.modinfo.has('version') || kernel.config.isOn('MODULE_SRCVERSION_ALL');
    const part = {
      hasInit: module.defines('init_module'),
      hasExit: module.defines('cleanup_module'),
      exported: module.exported,
      exportCrc: crcs ? (name: string) => exportCrc(digestOf(module), name) : undefined,
      versions: crcs ? versionsOf(imports, table) : [],
      depends: dependsOf(module, imports),
      aliases,
      srcversion: wantsVersion ? sourceVersion(digestOf(module)) : undefined,
    };
    sources.set(module.path, formatModC(part, kernel));
    if (callSites !== undefined) traceable.set(module.path, listCallSites(module, callSites));
  }
  return { sources, traceable, symvers: own.entries, diagnostics };
}

function checkModule(
  module: ModuleObject,
  imports: Import[],
  table: SymbolTable,
  { kernel, kernelExports, warnOnly, kernelSymbols }: ModpostInput,
): Diagnostic[] {
  const { basic, extended } = kernel.versionTables;
  const severity = warnOnly ? 'warning' : 'error';
  return [
    ...checkLicence(module),
    ...checkDescription(module),
    ...(kernelExports === undefined ? [] : checkUndefined(module, table, { severity, kernelSymbols })),
    ...checkGplOnly(module, imports),
    ...checkNamespaces(module, imports, {
      allowed: kernel.config.isOn('MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS'),
      quoted: isAtLeast(kernel.version, 6, 13),
    }),
    ...(basic && !extended ? checkLongNames(module, imports) : []),
    ...(basic || extended ? checkUnknownCrcs(module, imports) : []),
    ...checkCommon(module),
    ...checkExports(module),
    ...checkTrimmed(module),
    ...checkSections(module),
    ...checkExceptionTable(module),
  ];
}

/** The CRCs that are known, with that of `module_layout`, which stands for the kernel's configuration. */
function versionsOf(imports: Import[], table: SymbolTable): { name: string; crc: number }[] {
  const layout = table.get('module_layout');
  const used = [...(layout === undefined ? [] : [layout]), ...imports.map(({ entry }) => entry)];
  return [...new Set(used)].flatMap(({ name, crc }) => (crc === undefined ? [] : [{ name, crc }]));
}

function dependsOf({ name }: ModuleObject, imports: Import[]): string[] {
  const owners = new Set(imports.map(({ entry }) => entry.module));
  owners.delete('vmlinux');
  owners.delete(name);
  return [...owners];
}
