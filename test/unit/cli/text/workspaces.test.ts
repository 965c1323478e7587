import { checksText } from '../../../../src/cli/text/workspaces';
import { palette } from '../../../../src/ui/colour';

describe('what kh workspace verify prints', () => {
  const sound = {
    workspace: '/kh/A/6.1',
    device: 'A',
    release: '6.1',
    sha256: 'f'.repeat(64),
    status: 'sound' as const,
    problems: [],
  };

  it('is one line a workspace', () => {
    expect(checksText([sound], palette(false))).toBe('DEVICE  KERNEL  STATUS\nA       6.1     sound\n');
  });

  it('names below what is damaged, with escapes made visible', () => {
    const damaged = { ...sound, status: 'damaged' as const, problems: ['include/a\u001b.h: is missing'] };
    expect(checksText([sound, damaged], palette(false))).toMatch(
      /damaged\n\n\/kh\/A\/6\.1\n {2}include\/a\\x1b\.h: is missing\n$/,
    );
  });
});
