import fc from 'fast-check';
import { END_OF_ARCHIVE, rawMember } from '../../../fixtures/archives/tar-blocks';
import { frame, packet } from '../../unit/adb/support/fake-adb-server';

/** Generators that the unit tests' properties and `npm run fuzz` share. */

const noise = (maxLength: number) => fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes));

/** A copy of `whole` with some bytes changed, a part doubled or taken out, or its end cut off. */
export function damaged(whole: Buffer): fc.Arbitrary<Buffer> {
  const at = fc.nat(Math.max(whole.length - 1, 0));
  const change = fc.tuple(at, fc.nat(255));
  const changed = fc.array(change, { minLength: 1, maxLength: 12 }).map((changes) => {
    const bytes = Buffer.from(whole);
    for (const [index, value] of changes) bytes[index] = value;
    return bytes;
  });
  const cut = at.map((length) => Buffer.from(whole.subarray(0, length)));
  const spliced = fc
    .tuple(at, at, at)
    .map(([to, from, end]) =>
      Buffer.concat([whole.subarray(0, to), whole.subarray(from, Math.max(from, end)), whole.subarray(to)]),
    );
  return fc.oneof({ arbitrary: changed, weight: 4 }, cut, spliced);
}

/** Bytes that are noise, or nearly what adb's protocols ask for. */
export const adbBytes: fc.Arbitrary<Buffer> = fc
  .array(
    fc.oneof(
      noise(40),
      fc
        .constantFrom('OKAY', 'FAIL', '0004', 'ffff', 'DATA', 'DONE', 'STA2', 'STAT')
        .map((word) => Buffer.from(word)),
      fc
        .tuple(fc.constantFrom('DATA', 'DONE', 'FAIL', 'STAT'), fc.nat({ max: 70_000 }), fc.string())
        .map(([id, value, data]) => frame(id, value, data)),
      fc.tuple(fc.nat({ max: 5 }), fc.string()).map(([kind, data]) => packet(kind, data)),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Buffer.concat(parts));

/** Text that is noise, or of the words of `adb devices -l`. */
export const deviceLists: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        ...[' ', '\n', '\t', 'device', 'no permissions', '(', ')', 'usb:1', 'model:', 'transport_id:', 'x'],
      ),
    )
    .map((parts) => parts.join('')),
);

const memberName = fc.oneof(
  fc.string({ maxLength: 99 }),
  fc
    .array(fc.constantFrom('..', '.', 'a', 'b', '', 'canary'), { maxLength: 8 })
    .map((parts) => parts.join('/')),
);

/** Archives of members of every type, with names that lead anywhere. */
export const tars: fc.Arbitrary<Buffer> = fc
  .array(
    fc.record({
      name: memberName,
      linkname: memberName,
      type: fc.constantFrom('0', '0', '1', '2', '2', '5', '5', 'x', 'g', 'L', 'K', 'S', '\0'),
      content: noise(600),
    }),
    { maxLength: 8 },
  )
  .map((members) => Buffer.concat([...members.map(rawMember), END_OF_ARCHIVE]));

const digest = (letter: string) => letter.repeat(32);

/** Text that is noise, lines of checksum lists, or JSON of about the shape of a lab's manifest. */
export const manifests: fc.Arbitrary<string> = fc.oneof(
  fc
    .array(
      fc.oneof(
        fc.string(),
        fc.constantFrom(digest('a'), `${digest('a')}  -`, `${digest('b')}  kheaders.tar.xz`, '{'),
      ),
      { maxLength: 6 },
    )
    .map((lines) => lines.join('\n')),
  fc
    .record({ kheaders: fc.constant(1), kernels: fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue())) })
    .map((value) => JSON.stringify(value)),
);
