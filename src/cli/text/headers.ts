import type { HeadersList, ListedMember } from '../../app/headers/list-headers';
import type { HeaderDocument } from '../../app/headers/show-headers';
import { printable } from '../../core/printable';
import { textWidth } from '../../ui/text-width';

/** What `kh headers list` prints: a path a line, or with `long` as ls -l does, as far as an archive tells. */
export function listText({ members }: HeadersList, { long }: { long: boolean }): string {
  if (!long) return members.map((member) => `${pathText(member)}\n`).join('');
  const width = Math.max(0, ...members.map(({ size }) => textWidth(String(size ?? '-'))));
  return members
    .map((member) => {
      const { mode, size, target } = member;
      const link = target === undefined ? '' : ` -> ${printable(target)}`;
      return `${modeText(member.kind, mode)} ${String(size ?? '-').padStart(width)} ${pathText(member)}${link}\n`;
    })
    .join('');
}

function pathText({ kind, path }: ListedMember): string {
  return printable(kind === 'directory' ? `${path}/` : path);
}

const KINDS = { file: '-', directory: 'd', symlink: 'l' };

function modeText(kind: ListedMember['kind'], octal: string): string {
  const bits = [6, 3, 0].flatMap((shift) => {
    const value = Number.parseInt(octal, 8) >> shift;
    return [value & 4 ? 'r' : '-', value & 2 ? 'w' : '-', value & 1 ? 'x' : '-'];
  });
  return KINDS[kind] + bits.join('');
}

/**
 * What `kh headers show` prints: the files one after the other. A terminal
 * gets them without what could act on it, everything else byte for byte.
 */
export function showText(headers: HeaderDocument[], { terminal }: { terminal: boolean }): string | Buffer {
  const contents = headers.map(({ content, encoding }) => Buffer.from(content, encoding));
  if (!terminal) return Buffer.concat(contents);
  const lines = Buffer.concat(contents).toString('utf8').split('\n');
  return lines.map((line) => printable(line, { multiline: true })).join('\n');
}
