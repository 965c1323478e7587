import Ajv from 'ajv';
import fc from 'fast-check';
import {
  addEntry,
  checkAgainst,
  emptyLabManifest,
  formatManifest,
  lookUp,
  parseManifest,
  refuseRevoked,
  revokeArchive,
  type LabEntry,
} from '../../../../src/archive/manifest';
import { KhError } from '../../../../src/core/errors';
import { readSchema } from '../../../support/schemas';
import { manifests } from '../../../support/fuzz/arbitraries';

const md5 = (digit: string) => digit.repeat(32);
const sha256 = (digit: string) => digit.repeat(64);
const kernel = {
  release: '6.1.145-android14-11-gabc',
  version: '#1 SMP PREEMPT Mon Jan 1 00:00:00 UTC 2024',
};
const parse = (text: string) => parseManifest(text, 'manifest.txt');

function failure(work: () => unknown): KhError {
  try {
    work();
  } catch (error) {
    if (error instanceof KhError) return error;
    throw error;
  }
  throw new Error('expected a KhError');
}

describe("a kernel build's kheaders.md5", () => {
  it.each([
    ['5.2', [md5('a'), md5('b'), md5('c')]],
    ['5.3', [md5('a'), md5('b'), md5('d'), md5('c')]],
    ['6.1', [md5('A'), md5('B'), md5('C')]],
  ])('of %s gives its last line, for any kernel', (_, lines) => {
    const manifest = parse(`${lines.join('\n')}\n`);
    expect(manifest.form).toBe('kheaders.md5');
    expect(lookUp(manifest, kernel)).toMatchObject({ md5: md5('c') });
    expect(lookUp(manifest, { release: 'another' })).toMatchObject({ md5: md5('c') });
  });

  it('of 6.17 is refused: it is no digest of the archive', () => {
    const error = failure(() => parse(`${md5('a')}  -\n`));
    expect(error).toMatchObject({ code: 'MANIFEST_UNUSABLE' });
    expect(error.message).toMatch(/6\.17.*fingerprint of file names/);
    expect(error.hint).toMatch(/md5sum kheaders\.tar\.xz/);
  });

  it.each([1, 2, 5])('of %d lines is refused', (count) => {
    const error = failure(() => parse(`${md5('a')}\n`.repeat(count)));
    expect(error).toMatchObject({ code: 'MANIFEST_UNUSABLE' });
    expect(error.message).toContain(`${count} line(s)`);
  });
});

describe('a checksum list', () => {
  const find = (...lines: string[]) => lookUp(parse(lines.join('\n')), kernel);

  it.each([
    ['md5sum', `${md5('a')}  kheaders.tar.xz`, { md5: md5('a') }],
    ['md5sum --binary', `${md5('a')} *kheaders.tar.xz`, { md5: md5('a') }],
    ['sha256sum', `${sha256('b')}  ./out/kheaders.tar.xz`, { sha256: sha256('b') }],
    ['md5sum --tag', `MD5 (kheaders.tar.xz) = ${md5('C')}`, { md5: md5('c') }],
    ['sha256 of BSD', `SHA256 (kheaders.tar.xz) = ${sha256('d')}`, { sha256: sha256('d') }],
    ['an escaped name', `\\${md5('a')}  a\\\\b\\n/kheaders.tar.xz`, { md5: md5('a') }],
    ['Windows line ends', `${md5('a')}  kheaders.tar.xz\r`, { md5: md5('a') }],
    ['a lone entry under another name', `${md5('a')}  pixel.bin`, { md5: md5('a') }],
    ['the build folder', `${md5('a')}  kernel/kheaders_data.tar.xz`, { md5: md5('a') }],
  ])('is read as %s writes it', (_, line, expected) => {
    expect(find(line)).toMatchObject(expected);
  });

  it('keeps both digests where two lines give one each', () => {
    expect(find(`${md5('a')}  kheaders.tar.xz`, `${sha256('b')}  kheaders.tar.xz`)).toMatchObject({
      md5: md5('a'),
      sha256: sha256('b'),
    });
  });

  it('finds the entry by the kernel release, in a folder or in the file name', () => {
    const others = [`${md5('e')}  5.10.1-other/kheaders.tar.xz`, `${md5('f')}  boot.img`];
    expect(find(...others, `${md5('a')}  ${kernel.release}/kheaders.tar.xz`)).toMatchObject({
      md5: md5('a'),
    });
    expect(find(...others, `${md5('a')}  kheaders-${kernel.release}.tar.xz`)).toMatchObject({
      md5: md5('a'),
    });
  });

  it('does not take a release for another that it is a part of', () => {
    const list = parse(`${md5('a')}  6.1.145/kheaders.tar.xz\n${md5('b')}  6.1.14/kheaders.tar.xz\n`);
    expect(lookUp(list, { release: '6.1.14' })).toMatchObject({ md5: md5('b') });
    expect(lookUp(list, { release: '6.1.1' })).toBeUndefined();
    expect(lookUp(list, { release: '1.145' })).toBeUndefined();
  });

  it('does not know a kernel whose archive is not in it, even when it has one entry only', () => {
    expect(find(`${md5('a')}  5.10.1-other/kheaders.tar.xz`)).toBeUndefined();
    expect(find(`${md5('a')}  boot.img`, `${md5('b')}  system.img`)).toBeUndefined();
  });

  it('is refused when its entries contradict each other', () => {
    const error = failure(() => find(`${md5('a')}  one/kheaders.tar.xz`, `${md5('b')}  two/kheaders.tar.xz`));
    expect(error).toMatchObject({ code: 'MANIFEST_UNUSABLE' });
    expect(error.message).toMatch(/ambiguous/);
    expect(error.message).toContain(md5('a'));
    expect(error.message).toContain(md5('b'));
  });

  it('takes the same digest twice as no contradiction', () => {
    expect(find(`${md5('a')}  one/kheaders.tar.xz`, `${md5('a')}  two/kheaders.tar.xz`)).toMatchObject({
      md5: md5('a'),
    });
  });

  it('is refused with the line that is no checksum, made safe to print', () => {
    const error = failure(() => parse(`${md5('a')}  kheaders.tar.xz\nhello \x1b[2J\n`));
    expect(error.message).toMatch(/no checksum: "hello \\x1b\[2J"/);
  });
});

describe("the lab's manifest", () => {
  const entry = (more: Partial<LabEntry> = {}): LabEntry => ({
    release: kernel.release,
    md5: md5('a'),
    sha256: sha256('a'),
    bytes: 3_900_000,
    added: '2024-05-01T10:00:00.000Z',
    ...more,
  });
  const lab = (kernels: unknown, version: unknown = 1) =>
    parse(JSON.stringify({ kheaders: version, kernels }));

  it('comes back from its text as it was written', () => {
    const manifest = addEntry(emptyLabManifest('manifest.txt'), entry({ note: 'from PIXEL, "trusted"' }));
    expect(parse(formatManifest(manifest))).toEqual(manifest);
  });

  it('is as its schema says, which refuses what it does not know', () => {
    const admits = new Ajv().compile(readSchema('lab-manifest'));
    const revoked = [{ sha256: sha256('b'), at: '2026-01-01', reason: 'x' }];
    const full = { kernels: [entry({ expires: '2027-01-01', note: 'x' })], revoked };
    const written = formatManifest({ ...emptyLabManifest('m'), $schema: 'lab-manifest.json', ...full });
    expect(admits(JSON.parse(written))).toBe(true);
    expect(parse(written)).toMatchObject({ $schema: 'lab-manifest.json', ...full });
    expect(admits({ kheaders: 1, kernels: [{ ...entry(), expire: '2027-01-01' }] })).toBe(false);
    expect(admits({ kheaders: 2, kernels: [] })).toBe(false);
  });

  it('prefers the entry of the very build, and falls back on the one without a version', () => {
    const manifest = lab([entry({ md5: md5('1') }), entry({ version: kernel.version, md5: md5('2') })]);
    expect(lookUp(manifest, kernel)).toMatchObject({ md5: md5('2') });
    expect(lookUp(manifest, { release: kernel.release, version: '#2' })).toMatchObject({ md5: md5('1') });
    expect(lookUp(manifest, { release: 'other' })).toBeUndefined();
  });

  it('does not speak for another build of the same release', () => {
    expect(
      lookUp(lab([entry({ version: '#1' })]), { release: kernel.release, version: '#2' }),
    ).toBeUndefined();
  });

  it('replaces the entry for the same kernel, and sorts what it writes', () => {
    const one = addEntry(emptyLabManifest('m'), entry({ release: '6.6.0' }));
    const two = addEntry(
      addEntry(one, entry({ release: '5.10.0' })),
      entry({ release: '6.6.0', note: 'again' }),
    );
    expect(two.kernels).toHaveLength(2);
    const text = formatManifest(two);
    expect(text.indexOf('5.10.0')).toBeLessThan(text.indexOf('6.6.0'));
    expect(text).toContain('again');
  });

  it.each([
    ['another version', { kheaders: 2, kernels: [] }, /version 2.*reads version 1/],
    ['no list', { kheaders: 1, kernels: {} }, /kernels must be a list/],
    ['a list of something else', { kheaders: 1, kernels: [7] }, /kernels\[0\]/],
    [
      'a wrong digest',
      { kheaders: 1, kernels: [{ ...entry(), md5: 'abc' }] },
      /kernels\[0\]\.md5 must be 32 hex/,
    ],
    [
      'a number for a release',
      { kheaders: 1, kernels: [{ ...entry(), release: 6 }] },
      /kernels\[0\]\.release/,
    ],
    ['no size', { kheaders: 1, kernels: [{ ...entry(), bytes: -1 }] }, /kernels\[0\]\.bytes/],
    [
      'no date that exists',
      { kheaders: 1, kernels: [{ ...entry(), expires: '2026-13-01' }] },
      /expires must be/,
    ],
    [
      'a misspelt field',
      { kheaders: 1, kernels: [{ ...entry(), expire: '2027-01-01' }] },
      /"expire" that is not/,
    ],
    [
      'a revocation without a reason',
      { kheaders: 1, kernels: [], revoked: [{ sha256: sha256('a'), at: '2026-01-01' }] },
      /revoked\[0\]\.reason is missing/,
    ],
    ['one kernel twice', { kheaders: 1, kernels: [entry(), entry()] }, /two entries/],
  ])('with %s is refused', (_, value, message) => {
    const error = failure(() => parse(JSON.stringify(value)));
    expect(error).toMatchObject({ code: 'MANIFEST_UNUSABLE' });
    expect(error.message).toMatch(message);
  });

  it('is not led astray by __proto__', () => {
    const text = `{"kheaders":1,"kernels":[{"__proto__":${JSON.stringify(entry())}}]}`;
    expect(failure(() => parse(text)).message).toMatch(/kernels\[0\] has a field "__proto__"/);
    expect(failure(() => parse('{"__proto__":{"kheaders":1,"kernels":[]}}')).message).toMatch(
      /has no field "kheaders": 1/,
    );
    expect(({} as Record<string, unknown>)['kheaders']).toBeUndefined();
  });
});

describe('a manifest of another version', () => {
  it.each([
    ['none', {}, 'is no lab manifest: it has no field "kheaders": 1'],
    ['a list', [], 'is no lab manifest: it has no field "kheaders": 1'],
    ['a later one', { kheaders: 2 }, 'says it is of version 2; this kh reads version 1'],
    ['a text', { kheaders: '1' }, 'says it is of version "1"; this kh reads version 1'],
  ])('is refused in few words: %s', (_, value, message) => {
    expect(failure(() => parse(JSON.stringify(value))).message).toContain(message);
    const long = failure(() => parse(JSON.stringify({ kheaders: 'x'.repeat(5000) })));
    expect(long.message.length).toBeLessThan(200);
  });
});

describe('a revoked archive', () => {
  const REVOKED = { sha256: sha256('a'), md5: md5('a'), at: '2026-11-01', reason: 'stolen key' };
  const entry = (digit: string): LabEntry => ({
    release: kernel.release,
    md5: md5(digit),
    sha256: sha256(digit),
    bytes: 1,
    added: '2024-05-01T10:00:00.000Z',
  });
  const manifest = revokeArchive(addEntry(emptyLabManifest('manifest.txt'), entry('a')), REVOKED);

  it('has no entry any more, and comes back from the text as it was', () => {
    expect(lookUp(manifest, kernel)).toBeUndefined();
    expect(parse(formatManifest(manifest))).toEqual(manifest);
  });

  it.each([
    ['both digests', { md5: md5('a'), sha256: sha256('a') }],
    ['its sha256', { md5: md5('b'), sha256: sha256('a') }],
    ['its md5 alone', { md5: md5('a') }],
  ])('is refused by %s, with the reason', (_, found) => {
    expect(failure(() => refuseRevoked(manifest, found))).toMatchObject({
      code: 'VERIFY_REVOKED',
      message: expect.stringContaining('on 2026-11-01: stolen key') as string,
    });
  });

  it('is not added again, while another one is', () => {
    expect(failure(() => addEntry(manifest, entry('a'))).code).toBe('VERIFY_REVOKED');
    expect(addEntry(manifest, entry('b')).kernels).toHaveLength(1);
  });

  it('leaves one with other digests alone, and one without an md5', () => {
    expect(() => refuseRevoked(manifest, { md5: md5('b'), sha256: sha256('b') })).not.toThrow();
    const byDigest = revokeArchive(emptyLabManifest('m'), {
      sha256: sha256('c'),
      at: '2026-11-01',
      reason: 'x',
    });
    expect(() => refuseRevoked(byDigest, { md5: md5('b') })).not.toThrow();
    expect(() => refuseRevoked(byDigest, { sha256: sha256('b') })).not.toThrow();
  });
});

describe('any text at all', () => {
  it('is read or refused as MANIFEST_UNUSABLE, and nothing else happens', () => {
    fc.assert(
      fc.property(manifests, (text) => {
        try {
          expect(['kheaders.md5', 'checksum-list', 'lab']).toContain(parse(text).form);
        } catch (error) {
          expect(error).toMatchObject({ code: 'MANIFEST_UNUSABLE' });
        }
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['', /empty/],
    [' \n\n', /empty/],
    ['x'.repeat(5_000_000), /larger than/],
  ])('is refused: %#', (text, why) => {
    expect(failure(() => parse(text)).message).toMatch(why);
  });
});

describe('checkAgainst', () => {
  const found = { md5: md5('a'), sha256: sha256('a') };

  it('says which digest it compared', () => {
    expect(checkAgainst({ md5: md5('a'), entry: 'x' }, found, 'm')).toBe('md5');
    expect(checkAgainst({ ...found, entry: 'x' }, found, 'm')).toBe('sha256');
  });

  it.each(['md5', 'sha256'] as const)(
    'raises VERIFY_MANIFEST with both digests when the %s differs',
    (kind) => {
      const wrong = kind === 'md5' ? md5('b') : sha256('b');
      const error = failure(() => checkAgainst({ ...found, [kind]: wrong, entry: 'x' }, found, 'lab.json'));
      expect(error).toMatchObject({
        code: 'VERIFY_MANIFEST',
        details: { expected: wrong, found: found[kind] },
      });
      expect(error.message).toContain(wrong);
      expect(error.message).toContain(found[kind]);
      expect(error.message).toContain('lab.json');
    },
  );
});
