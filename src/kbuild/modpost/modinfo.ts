import type { ElfFile } from '../elf/elf-file';

/** The tags of a module's `.modinfo`, such as `license`, with their values in the file's order. */
export type ModInfo = ReadonlyMap<string, readonly string[]>;

/** Reads `.modinfo`: strings `tag=value`, with any number of zero bytes between them. */
export function readModInfo(elf: ElfFile): ModInfo {
  const tags = new Map<string, string[]>();
  for (const section of elf.sections.filter(({ name }) => name === '.modinfo')) {
    for (const text of section.data().toString('utf8').split('\0')) {
      const [, tag, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
      if (tag !== undefined && value !== undefined) tags.set(tag, [...(tags.get(tag) ?? []), value]);
    }
  }
  return tags;
}
