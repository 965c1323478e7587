const ESCAPES = /\u001b\[[0-9;]*m/g;
const SEGMENTS = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Blocks whose characters take two columns: East Asian scripts in their wide forms, and pictographs. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;

/** Columns that a text takes in a terminal, colour codes not counted. */
export function textWidth(text: string): number {
  let width = 0;
  for (const { segment } of SEGMENTS.segment(text.replace(ESCAPES, ''))) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** The text, followed by as many blanks as fill `width` columns. */
export function padTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}
