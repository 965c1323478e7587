import type { ByteSource } from '../../core/byte-source';
import { parseAutoconf } from '../kernel-config';
import { GzipFault, unpackGzipMember } from './gzip-member';

/** In front of the kernel's own configuration, where CONFIG_IKCONFIG put it. */
export const CONFIG_MARK = Buffer.from('IKCFG_ST');

/** Packed ones have 20 to 60 KB, unpacked ones 100 to 300. */
const LARGEST_PACKED = 1 << 20;
const LARGEST = 8 << 20;

/**
 * The configuration behind a mark.
 *
 * @param offset of the mark
 * @returns the text of the `.config`; undefined where something else follows the mark
 * @throws what `source.read` throws
 * @see kernel/configs.c of the kernel, and its scripts/extract-ikconfig
 */
export async function readEmbeddedConfig(source: ByteSource, offset: number): Promise<Buffer | undefined> {
  const start = offset + CONFIG_MARK.length;
  const packed = await source.read(start, Math.min(LARGEST_PACKED, source.size - start));
  if (packed.length < 2 || packed.readUInt16BE(0) !== 0x1f8b) return undefined;
  try {
    const text = await unpackGzipMember(packed, LARGEST);
    return /^CONFIG_\w+=/m.test(text.toString('latin1')) ? text : undefined;
  } catch (error) {
    if (error instanceof GzipFault || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The version that the first lines of a `.config` name: "# Linux/arm64 6.1.192 Kernel Configuration". */
export function configuredVersion(config: Buffer): string | undefined {
  return /^# Linux\/\S+ (\S+) Kernel Configuration$/m.exec(config.toString('latin1', 0, 1000))?.[1];
}

/** The value of an option in a `.config`; undefined where it is not set. */
export function configuredValue(config: Buffer, name: string): string | undefined {
  return optionsOf(config).get(name);
}

/**
 * Whether a `.config` is what an autoconf.h was made from: each option is set to
 * the same in both. Hexadecimal numbers get their 0x there, if they lack it.
 *
 * @see scripts/kconfig/confdata.c
 */
export function isConfigOf(config: Buffer, autoconf: string): boolean {
  const options = optionsOf(config);
  const header = new Map(parseAutoconf(autoconf).entries());
  if (options.size !== header.size) return false;
  return [...options].every(([name, value]) => {
    const there = header.get(name);
    return there === value || there === `0x${value === 'y' ? '1' : value}`;
  });
}

/** As `parseAutoconf` gives them, which cannot tell the number 1 from `y`, nor an option X_MODULE from `X=m`. */
function optionsOf(config: Buffer): Map<string, string> {
  const options = new Map<string, string>();
  for (const [, name = '', written = ''] of config.toString('latin1').matchAll(/^CONFIG_(\w+)=(.*)$/gm)) {
    const text = written.startsWith('"') ? written.slice(1, -1).replace(/\\(.)/g, '$1') : written;
    const value = written === '1' ? 'y' : text;
    if (name.endsWith('_MODULE') && value === 'y') options.set(name.slice(0, -'_MODULE'.length), 'm');
    else options.set(name, value);
  }
  return options;
}
