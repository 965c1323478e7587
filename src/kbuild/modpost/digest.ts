import { createHash } from 'node:crypto';
import { SHF } from '../elf/constants';
import type { ModuleObject } from './module-object';

/** A digest of what of an object reaches the kernel: code and data with their relocations, no debug information. */
export function objectDigest({ elf }: ModuleObject): string {
  const hash = createHash('sha256');
  for (const section of elf.sections.filter(({ flags }) => (flags & SHF.ALLOC) !== 0)) {
    hash.update(`${section.name}\0${section.size}\0`).update(section.data());
    for (const { offset, type, addend, symbol } of elf.relocations(section)) {
      hash.update(`${offset} ${type} ${addend} ${symbol?.name ?? ''} ${symbol?.section?.name ?? ''}\n`);
    }
  }
  return hash.digest('hex');
}

/**
 * The CRC for an export. The kernel only ever compares it with what the
 * importing module was built with, so any number does that changes when the
 * interface may have. Never 0, which means none.
 *
 * @param digest of the exporting object
 */
export function exportCrc(digest: string, name: string): number {
  return createHash('sha256').update(`${digest} ${name}`).digest().readUInt32LE(0) || 1;
}

/** In the form of the kernel's (23 hexadecimal digits), but not its value: that is an MD4 of source files. */
export function sourceVersion(digest: string): string {
  return digest.slice(0, 23).toUpperCase();
}
