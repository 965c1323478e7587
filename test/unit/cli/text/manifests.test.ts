import { manifestChecksText, manifestText } from '../../../../src/cli/text/manifests';
import { palette } from '../../../../src/ui/colour';

const plain = palette(false);

describe('what kh manifest show prints', () => {
  it('is a line for each kernel of a lab manifest', () => {
    const entry = { release: '6.1', md5: 'm', sha256: 's', bytes: 1, added: '2026-11-21T12:00:00.000Z' };
    expect(manifestText({ form: 'lab', path: 'lab.json', kernels: [entry], revoked: [] }, plain)).toBe(
      'KERNEL  VERSION  SHA256  ADDED\n6.1     -        s       2026-11-21\n',
    );
  });

  it('is the digest of the kernel build for its kheaders.md5', () => {
    const text = manifestText({ form: 'kheaders.md5', path: 'kheaders.md5', md5: 'abc' }, plain);
    expect(text).toContain('md5   abc\n');
  });
});

describe('what kh manifest check prints', () => {
  it('says below the table what differs', () => {
    const check = { workspace: '/kh/A', device: 'A', release: '6.1' };
    const text = manifestChecksText(
      [
        { ...check, status: 'trusted' },
        { ...check, status: 'mismatch', problem: 'md5 is x, but y is expected' },
      ],
      plain,
    );
    expect(text).toMatch(/6\.1 +mismatch\n\n\/kh\/A\n {2}md5 is x, but y is expected\n$/);
  });
});
