import { asKhError } from '../../core/errors';
import {
  kernelArch,
  parseDotConfig,
  readKernelConfig,
  type KernelArch,
  type KernelConfig,
} from '../../kbuild/kernel-config';
import { findToolchain } from '../../kbuild/toolchain/find-toolchain';
import type { Workspace } from '../../store/workspaces';
import { concurrently } from '../concurrently';
import type { SeenDevice } from './devices';
import { findings, type DoctorFinding } from './finding';

const AT_ONCE = 8;

/** By `uname -m`: a device's `.config` may be cut down to what someone wanted to show. */
const ARCHES: Record<string, KernelArch | undefined> = { aarch64: 'arm64', x86_64: 'x86_64' };

/** Whether a compiler is here for each kernel seen: those that run on devices, and those with a workspace. */
export async function lookForCompilers(
  devices: SeenDevice[],
  workspaces: Workspace[],
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<DoctorFinding[]> {
  const configs = new Map<string, { machine: string; read: () => KernelConfig }>();
  for (const { record, headersPath } of workspaces) {
    const { release, machine } = record.kernel;
    configs.set(release, { machine, read: () => readKernelConfig(headersPath) });
  }
  for (const { kernel, config } of devices) {
    if (kernel === undefined || config === undefined || configs.has(kernel.release)) continue;
    configs.set(kernel.release, { machine: kernel.machine, read: () => parseDotConfig(config) });
  }
  const found = await concurrently([...configs], AT_ONCE, async ([release, { machine, read }]) => {
    const { ok, note, failed } = findings('compiler', release);
    try {
      const config = read();
      const { compiler, notes } = await findToolchain({
        config,
        arch: ARCHES[machine] ?? kernelArch(config),
        environment,
        signal,
      });
      const text = `${compiler.command.join(' ')} builds modules for it`;
      return notes.length === 0 ? ok(text) : note([text, ...notes].join('. '));
    } catch (thrown) {
      signal.throwIfAborted();
      return failed(asKhError(thrown), 'warning');
    }
  });
  return found;
}
