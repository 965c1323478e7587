import type { RootReply } from './adb-device';
import type { AdbSocket } from './adb-socket';

export const ROOT_SERVICE = 'root:';

/**
 * Reads what adbd says to `root:`. As adb's own client does, no answer at all
 * counts as a restart that cut it off.
 *
 * @see AOSP packages/modules/adb/daemon/restart_service.cpp
 */
export async function readRootReply(socket: AdbSocket): Promise<RootReply> {
  let text = '';
  for (let chunk = await socket.readSome(); chunk !== undefined; chunk = await socket.readSome()) {
    text += chunk.toString('latin1');
    if (text.length > 4096) break;
  }
  if (text.includes('already running as root')) return 'already-root';
  return text === '' || text.includes('restarting') ? 'restarting' : 'refused';
}
