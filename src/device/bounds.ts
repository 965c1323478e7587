import type { CallOptions } from '../adb/adb-device';
import type { Work } from '../core/work';

/**
 * The bounds of one call on a device, as part of `work`.
 *
 * @param purpose to follow "while" in messages: "loading kheaders.ko"
 */
export function bounds({ signal, times }: Work, purpose?: string): CallOptions {
  return { signal, stallTimeout: times.stall, ...(purpose === undefined ? {} : { purpose }) };
}
