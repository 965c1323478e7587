import type { CallOptions } from '../adb/adb-device';
import { KhError } from '../core/errors';
import { commandLineFor, runWith, type Access } from './access';
import { MODULE_FOLDERS } from './probe';
import { shellQuote } from './shell-quote';

/** A module's file on the device. */
export interface DeviceModule {
  path: string;
  bytes: number;
}

/** No module is larger: the largest drivers have 100 MB with their debug information. */
const LARGEST = 2 ** 30;

/**
 * The modules that lie on the device, loaded or not, as far as these rights
 * reach: sorted by path. Links are not followed, so each file comes once.
 */
export async function listDeviceModules(access: Access, options: CallOptions): Promise<DeviceModule[]> {
  const commandLine = `find ${MODULE_FOLDERS.join(' ')} -name '*.ko' -type f -exec stat -c '%s %n' {} + 2>/dev/null`;
  const output = await runWith(access, commandLine, { purpose: 'looking for its modules', ...options });
  const modules = output.stdout
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      const [, bytes, path] = /^(\d{1,10}) (\/.+\.ko)$/.exec(line.trimEnd()) ?? [];
      return path === undefined || Number(bytes) > LARGEST ? [] : [{ path, bytes: Number(bytes) }];
    });
  return modules.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Reads one of them, with back pressure.
 *
 * @throws KhError REMOTE_IO when it has another size than was listed, and as `AdbDevice.receive`
 */
export async function* receiveDeviceModule(
  access: Access,
  { path, bytes }: DeviceModule,
  options: CallOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const call = { purpose: `reading ${path}`, ...options };
  const chunks =
    access.privilege === 'su'
      ? access.adb.stream(commandLineFor(access, `cat ${shellQuote(path)} 2>/dev/null`), call)
      : access.adb.receive(path, call);
  let received = 0;
  for await (const chunk of chunks) {
    received += chunk.length;
    if (received > bytes) break;
    yield chunk;
  }
  if (received === bytes) return;
  throw new KhError('REMOTE_IO', {
    serial: access.adb.serial,
    message: `${path} gave ${received > bytes ? 'more' : received} of ${bytes} bytes`,
    details: { path, bytes },
  });
}
