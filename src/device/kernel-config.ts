import { gunzipSync } from 'node:zlib';
import type { CallOptions } from '../adb/adb-device';
import { KhError } from '../core/errors';
import type { Work } from '../core/work';
import type { Access } from './access';
import { bounds } from './bounds';

const CONFIG_PATH = '/proc/config.gz';
const LARGEST = 8 * 2 ** 20;

/**
 * The running kernel's own configuration, where it has one (CONFIG_IKCONFIG_PROC)
 * and the shell user may read it.
 *
 * @returns the text of the `.config`, or undefined where there is none to be had
 * @throws KhError DEVICE_LOST, TIMEOUT and the like; never because the file is missing, denied or damaged
 */
export async function readKernelConfig(access: Access, options: CallOptions): Promise<Buffer | undefined> {
  try {
    return gunzipSync(await receiveSmallFile(access, { purpose: `reading ${CONFIG_PATH}`, ...options }), {
      maxOutputLength: LARGEST,
    });
  } catch (error) {
    if (isUnavailable(error)) return undefined;
    throw error;
  }
}

async function receiveSmallFile(access: Access, options: CallOptions): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of access.adb.receive(CONFIG_PATH, options)) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > LARGEST) throw new RangeError(`${CONFIG_PATH} is larger than any kernel configuration`);
  }
  return Buffer.concat(chunks);
}

function isUnavailable(error: unknown): boolean {
  if (error instanceof RangeError) return true;
  if (error instanceof KhError) {
    return ['REMOTE_NOT_FOUND', 'REMOTE_DENIED', 'REMOTE_IO'].includes(error.code);
  }
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

/** The value of `CONFIG_NAME` in a `.config`: `y`, `m`, a number or string as written; undefined when not set. */
export function configValue(config: Buffer, name: string): string | undefined {
  return new RegExp(`^CONFIG_${name}=(.*)$`, 'm').exec(config.toString('latin1'))?.[1];
}

/** What the running kernel's configuration says of CONFIG_IKHEADERS: `n` where it is not set, undefined where none can be read. */
export type ConfiguredHeaders = 'y' | 'm' | 'n' | undefined;

/** Whether the running kernel was built with its headers. Throws as `readKernelConfig`. */
export async function configuredHeaders(access: Access, work: Work): Promise<ConfiguredHeaders> {
  const config = await readKernelConfig(access, bounds(work));
  if (config === undefined) return undefined;
  const value = configValue(config, 'IKHEADERS') ?? configValue(config, 'IKHEADERS_PROC');
  return value === 'y' || value === 'm' ? value : 'n';
}
