import type { FileDifference, HeadersDiff, OptionDifference } from '../../app/headers/diff-headers';
import { printable } from '../../core/printable';
import type { Palette } from '../../ui/colour';
import { textWidth } from '../../ui/text-width';

/** What `kh headers diff` prints: the options that differ, the files, and how many. */
export function diffText(diff: HeadersDiff, colours: Palette): string {
  const { files, config, same } = diff;
  const count = (status: FileDifference['status']) => files.filter((file) => file.status === status).length;
  const head = colours.bold(`${printable(diff.before || 'unknown')} → ${printable(diff.after || 'unknown')}`);
  return [
    `${head}\n`,
    ...config.map((option) => `${optionText(option, colours)}\n`),
    ...filesText(files, colours),
    `files: ${count('added')} added, ${count('removed')} removed, ${count('changed')} changed, ${same} the same; options that differ: ${config.length}\n`,
  ].join('');
}

/** What `--patch` prints: patch(1) takes it. A terminal gets it without what could act on it. */
export function patchText(
  { files }: HeadersDiff,
  { terminal }: { terminal: boolean },
  { bold, red, green }: Palette,
): string {
  const patches = files.map(({ patch = '' }) => patch).join('');
  if (!terminal) return patches;
  const paint = (line: string) => {
    if (/^(?:---|\+\+\+) /.test(line)) return bold(line);
    return line.startsWith('+') ? green(line) : line.startsWith('-') ? red(line) : line;
  };
  return patches
    .split('\n')
    .map((line) => paint(printable(line, { multiline: true })))
    .join('\n');
}

const MARKS = { added: 'A', removed: 'D', changed: 'M' };

function filesText(files: FileDifference[], { red, green, yellow }: Palette): string[] {
  const paints = { added: green, removed: red, changed: yellow };
  const width = Math.max(0, ...files.map(({ path }) => textWidth(printable(path))));
  return files.map((file) => {
    const { path, status } = file;
    const name = printable(path);
    const room = ' '.repeat(width - textWidth(name));
    return `${paints[status](MARKS[status])} ${name}${room}  ${sizeText(file)}\n`;
  });
}

function sizeText({ bytesBefore, bytesAfter, insertions, deletions }: FileDifference): string {
  if (insertions !== undefined && deletions !== undefined) return `+${insertions} -${deletions}`;
  const sizes = [bytesBefore, bytesAfter].flatMap((bytes) => (bytes === undefined ? [] : [`${bytes} B`]));
  return sizes.join(' → ');
}

function optionText({ name, before, after }: OptionDifference, { red, green, yellow }: Palette): string {
  const [was, is] = [before, after].map((value) => printable(value ?? 'not set'));
  const mark = before === undefined ? green('+') : after === undefined ? red('-') : yellow('~');
  return `${mark} ${printable(name)}: ${was ?? ''} → ${is ?? ''}`;
}
