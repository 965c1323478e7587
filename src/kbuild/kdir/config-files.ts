import { isAtLeast, type KernelConfig, type KernelVersion } from '../kernel-config';
import { makeText } from './make-text';

/**
 * `include/config/auto.conf`, which Makefiles include for `obj-$(CONFIG_X)`.
 * Strings are in quotes before 5.17 only, as scripts/kconfig/confdata.c writes them.
 */
export function autoConf(config: KernelConfig, version: KernelVersion): string {
  const asWritten = isAtLeast(version, 5, 17) ? (value: string) => value : quoted;
  return lines(config, (value) => makeText(asWritten(value)));
}

/** `.config`, which scripts search for options. Those that are not set are not known, and so not listed. */
export function dotConfig(config: KernelConfig, version: KernelVersion): string {
  return `# From the headers of Linux ${version.release}\n${lines(config, quoted)}`;
}

function lines(config: KernelConfig, written: (value: string) => string): string {
  const sorted = [...config.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, value]) => `CONFIG_${name}=${written(value)}\n`).join('');
}

/** Tristates and numbers are bare, all else is a string. */
function quoted(value: string): string {
  if (/^(y|m|-?\d+|0x[0-9a-fA-F]+)$/.test(value)) return value;
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}
