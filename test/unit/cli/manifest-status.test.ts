import type { ManifestCheck } from '../../../src/app/manifests';
import { manifestStatus } from '../../../src/cli/manifest-status';

const check = (status: ManifestCheck['status']): ManifestCheck => ({
  workspace: '/kh/A',
  device: 'A',
  release: '6.1',
  status,
});

describe('the exit code of kh manifest check', () => {
  it('is 6 where the manifest names another archive', () => {
    expect(manifestStatus([check('trusted'), check('mismatch')], false).exitCode).toBe(6);
  });

  it('is 0 where it does not know a kernel, unless every one has to be listed', () => {
    const checks = [check('trusted'), check('unlisted')];
    expect(manifestStatus(checks, false)).toEqual({ status: 'ok', exitCode: 0 });
    expect(manifestStatus(checks, true)).toEqual({ status: 'failed', exitCode: 6 });
  });
});
