import type { KernelConfig, KernelVersion } from '../kernel-config';
import { makeText } from './make-text';

/** `include/config/auto.conf`, which Makefiles include for `obj-$(CONFIG_X)`. */
export function autoConf(config: KernelConfig): string {
  return lines(config, makeText);
}

/** `.config`, which scripts search for options. Those that are not set are not known, and so not listed. */
export function dotConfig(config: KernelConfig, version: KernelVersion): string {
  return `# From the headers of Linux ${version.release}\n${lines(config, (text) => text)}`;
}

function lines(config: KernelConfig, escape: (text: string) => string): string {
  const sorted = [...config.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, value]) => `CONFIG_${name}=${escape(written(value))}\n`).join('');
}

/** Tristates and numbers are bare, all else is a string. */
function written(value: string): string {
  if (/^(y|m|-?\d+|0x[0-9a-fA-F]+)$/.test(value)) return value;
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}
