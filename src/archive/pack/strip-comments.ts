const OPEN = Buffer.from('/*');
const CLOSE = Buffer.from('*/');
const SPDX = Buffer.from('SPDX');

/**
 * Takes the comments out of a header, byte for byte as kernel builds do.
 *
 * Every run from a slash and a star to the next star and slash goes, over any
 * number of lines, unless "SPDX" is in it. Nobody looks at what the run stands
 * in: a string literal loses it as well, and in a comment that stays because of
 * its SPDX, a comment that opens behind the SPDX is taken out. `//` stays.
 *
 * @returns `text` itself where nothing goes
 * @see the perl line of kernel/gen_kheaders.sh, a non-greedy match over the whole file
 */
export function stripComments(text: Buffer): Buffer {
  const kept: Buffer[] = [];
  let from = 0;
  for (let open = text.indexOf(OPEN); open !== -1;) {
    const close = text.indexOf(CLOSE, open + OPEN.length);
    if (close === -1) break;
    const inside = open + OPEN.length;
    const licence = text.subarray(inside, close).lastIndexOf(SPDX);
    if (licence === -1) {
      kept.push(text.subarray(from, open));
      from = close + CLOSE.length;
    }
    // No match can begin before the last SPDX: it would have to pass it.
    open = text.indexOf(OPEN, licence === -1 ? from : inside + licence);
  }
  if (from === 0) return text;
  kept.push(text.subarray(from));
  return Buffer.concat(kept);
}
