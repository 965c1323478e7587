import { createHash } from 'node:crypto';

/**
 * Takes the comments out of a header as the kernel's build does for the
 * archive: all of `/* … *\/`, several lines too and inside strings as well,
 * unless there is SPDX in it. `//` stays.
 *
 * @see kernel/gen_kheaders.sh
 */
export function withoutComments(text: string): string {
  const kept: string[] = [];
  let from = 0;
  for (let open = text.indexOf('/*'); open !== -1;) {
    const close = text.indexOf('*/', open + 2);
    if (close === -1) break;
    if (text.slice(open + 2, close).includes('SPDX')) {
      // The search goes on one character further, as that of a regular expression does.
      open = text.indexOf('/*', open + 1);
      continue;
    }
    kept.push(text.slice(from, open));
    from = close + 2;
    open = text.indexOf('/*', from);
  }
  kept.push(text.slice(from));
  return kept.join('');
}

/**
 * Gives a header a true checksum again. The last line of the headers in
 * `include/linux/atomic/` is the SHA1 of those above it; the kernel's build
 * stops where it is not, and taking out comments changes it.
 *
 * @returns undefined for a header without such a line, or with a true one
 * @see Kbuild of the kernel (cmd_check_sha1)
 */
export function withTrueChecksum(text: string): string | undefined {
  const start = text.lastIndexOf('\n', text.length - 2) + 1;
  if (!/^\/\/ [0-9a-f]{40}\n?$/.test(text.slice(start))) return undefined;
  const body = text.slice(0, start);
  const mended = `${body}// ${createHash('sha1').update(body, 'latin1').digest('hex')}\n`;
  return mended === text ? undefined : mended;
}
