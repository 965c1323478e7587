import type { CallOptions } from '../adb/adb-device';
import type { Access } from './access';
import { configValue, readKernelConfig } from './kernel-config';
import type { DeviceProbe } from './probe';

/** What a device can give, as far as a look without root tells. */
export interface HeadersStatus {
  status: 'built-in' | 'module-loaded' | 'module' | 'absent' | 'denied' | 'unknown';
  path?: string;
  bytes?: number;
}

/**
 * Says where a device's headers are, changing nothing on it: no root is asked
 * for, no module loaded. The kernel's own configuration settles what the shell
 * user can't see.
 */
export async function headersStatus(
  access: Access,
  probe: DeviceProbe,
  options: CallOptions,
): Promise<HeadersStatus> {
  if (probe.archive !== undefined) {
    const { path, bytes, state } = probe.archive;
    const readable = probe.moduleLoaded ? 'module-loaded' : 'built-in';
    return {
      status: state === 'denied' ? 'denied' : readable,
      path,
      ...(bytes === undefined ? {} : { bytes }),
    };
  }
  const [module] = probe.modules;
  if (module !== undefined) return { status: 'module', path: module };
  const config = await readKernelConfig(access, options);
  if (config === undefined) return { status: 'unknown' };
  return { status: configValue(config, 'IKHEADERS') === 'm' ? 'module' : 'absent' };
}
