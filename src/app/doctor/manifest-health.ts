import { hasExpired, lookUp } from '../../archive/manifest';
import { requireManifest, type ManifestOptions } from '../open-manifest';
import type { SeenDevice } from './devices';
import { findings, type DoctorFinding } from './finding';

/** Whether the manifest can be used, and knows the kernels that run. */
export async function lookAtManifest(
  { manifestPath: path, requireManifest: requireEntry, trustedKeys }: ManifestOptions,
  devices: SeenDevice[],
): Promise<DoctorFinding[]> {
  if (path === undefined) {
    const { note } = findings('manifest', 'none');
    return [
      note(
        'no manifest is named: what is pulled counts as unverified',
        'kh manifest add FILE, then --manifest FILE or KH_MANIFEST',
      ),
    ];
  }
  const { ok, note, error, failed } = findings('manifest', path);
  try {
    const manifest = await requireManifest(path, trustedKeys);
    const kernels = new Map(
      devices.flatMap(({ kernel }) => (kernel === undefined ? [] : [[kernel.release, kernel]])),
    );
    const unlisted = [...kernels.values()].filter((kernel) => lookUp(manifest, kernel) === undefined);
    const expired = [...kernels.values()].filter((kernel) =>
      hasExpired(lookUp(manifest, kernel), new Date()),
    );
    const about = (code: 'VERIFY_UNLISTED' | 'VERIFY_EXPIRED', text: string) =>
      requireEntry ? error(code, text, ADD) : note(text, ADD);
    return [
      ok(`can be used (form ${manifest.form})`),
      ...unlisted.map(({ release }) => about('VERIFY_UNLISTED', `does not name the kernel ${release}`)),
      ...expired.map(({ release }) => about('VERIFY_EXPIRED', `has an entry for ${release} that expired`)),
    ];
  } catch (thrown) {
    return [failed(thrown)];
  }
}

const ADD = 'kh pull, then kh manifest add FILE, once its archive is trusted';
