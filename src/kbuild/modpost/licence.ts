import type { Diagnostic } from './diagnostic';
import type { ModuleObject } from './module-object';

/** What MODULE_LICENSE may say for a module to use GPL-only symbols (include/linux/license.h). */
const GPL_COMPATIBLE = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);

/** True when every MODULE_LICENSE of the module is compatible with the GPL. */
export function isGplCompatible({ modinfo }: ModuleObject): boolean {
  const licences = modinfo.get('license') ?? [];
  return licences.length > 0 && licences.every((licence) => GPL_COMPATIBLE.has(licence));
}

export function checkLicence({ path, modinfo }: ModuleObject): Diagnostic[] {
  if (modinfo.has('license')) return [];
  const text = 'the module has no MODULE_LICENSE(): add one, such as MODULE_LICENSE("GPL")';
  return [{ severity: 'error', kind: 'licence', file: path, text }];
}

export function checkDescription({ path, modinfo }: ModuleObject): Diagnostic[] {
  if (modinfo.has('description')) return [];
  const text = 'the module has no MODULE_DESCRIPTION()';
  return [{ severity: 'note', kind: 'description', file: path, text }];
}
