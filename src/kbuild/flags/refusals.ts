import { KhError } from '../../core/errors';
import { isAtLeast, type KernelConfig, type KernelVersion } from '../kernel-config';

const FULL_TREE = 'Build with the full source of this kernel: --kernel-source.';

/**
 * Refuses kernels for which no module can be built from headers alone.
 *
 * @param withSource the source of the kernel is at hand, too
 * @throws KhError BUILD_UNSUPPORTED
 */
export function refuseUnsupported(
  config: KernelConfig,
  version: KernelVersion,
  { withSource = false }: { withSource?: boolean } = {},
): void {
  const reason = unsupported(config, version);
  if (reason === undefined || (withSource && reason.sourceHelps)) return;
  throw new KhError('BUILD_UNSUPPORTED', {
    message: `no module for ${version.release} can be built ${withSource ? 'outside of its own build' : 'from its headers'}: ${reason.why}`,
    hint: reason.sourceHelps ? FULL_TREE : undefined,
    details: { release: version.release, config: reason.option },
  });
}

function unsupported(
  config: KernelConfig,
  version: KernelVersion,
): { option: string; why: string; sourceHelps: boolean } | undefined {
  if (!isAtLeast(version, 5, 2)) {
    const why = 'it is older than 5.2, from which on kernels can carry them';
    return { option: '', why, sourceHelps: false };
  }
  const shuffled = ['RANDSTRUCT', 'GCC_PLUGIN_RANDSTRUCT', 'RANDSTRUCT_FULL', 'RANDSTRUCT_PERFORMANCE'];
  const option = shuffled.find((name) => config.isOn(name));
  if (option !== undefined) {
    return {
      option,
      why: `CONFIG_${option} shuffles structures by a secret of its build, which no archive holds`,
      sourceHelps: false,
    };
  }
  if (config.isOn('CFI_CLANG') && !isAtLeast(version, 6, 1)) {
    return {
      option: 'CFI_CLANG',
      why: 'its CFI is that of before 6.1, which needs the whole module to pass link-time optimisation',
      sourceHelps: true,
    };
  }
  return undefined;
}
