import type { LabManifest } from '../../../src/archive/manifest';
import { checkManifest } from '../../../src/app/open-manifest';

const ENTRY = {
  release: '6.1.0',
  md5: 'a'.repeat(32),
  sha256: 'a'.repeat(64),
  bytes: 1,
  added: '2026-01-01T00:00:00.000Z',
  expires: '2026-06-01T00:00:00.000Z',
};
const MANIFEST: LabManifest = { form: 'lab', path: '/lab.json', kernels: [ENTRY], revoked: [] };
const BEFORE = new Date('2026-05-31T23:59:59.999Z');
const AFTER = new Date('2026-06-01T00:00:00.000Z');

function check({ now = BEFORE, required = false, digests = ENTRY, manifest = MANIFEST } = {}) {
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const verdict = checkManifest({ manifest, requireManifest: required }, ENTRY, digests, { warn, now });
  return { verdict, warnings };
}

describe('an entry that expires', () => {
  it('counts up to its time', () => {
    expect(check()).toEqual({
      verdict: { path: '/lab.json', form: 'lab', digest: 'sha256' },
      warnings: [],
    });
  });

  it('vouches for nothing from then on, which is said', () => {
    const { verdict, warnings } = check({ now: AFTER });
    expect(verdict).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(/6\.1\.0 expired on 2026-06-01.*unverified/)]);
  });

  it('is refused from then on where one is required', () => {
    expect(() => check({ now: AFTER, required: true })).toThrow(
      expect.objectContaining({ code: 'VERIFY_EXPIRED' }) as Error,
    );
  });

  it('still refuses other bytes', () => {
    const digests = { ...ENTRY, sha256: 'b'.repeat(64) };
    expect(() => check({ now: AFTER, digests })).toThrow(
      expect.objectContaining({ code: 'VERIFY_MANIFEST' }) as Error,
    );
  });
});

describe('a revoked archive', () => {
  it('is refused whether or not an entry is required, and whatever vouches for it', () => {
    const revoked = [{ sha256: ENTRY.sha256, at: '2026-02-01', reason: 'stolen key' }];
    for (const required of [false, true]) {
      expect(() => check({ required, manifest: { ...MANIFEST, revoked } })).toThrow(
        expect.objectContaining({ code: 'VERIFY_REVOKED' }) as Error,
      );
    }
  });
});
