import type { CommandOutput } from './adb-device';
import type { AdbSocket } from './adb-socket';
import { collectedOutput } from './collected-output';
import { garbage } from './smart-socket';

const STDOUT = 1;
const STDERR = 2;
const EXIT = 3;
const CLOSE_STDIN = 4;

/** adbd's packets carry at most 1 MiB. */
const LONGEST_PACKET = 2 ** 20;

/** The service that runs a command and keeps stdout, stderr and exit code apart; Android 7 and later. */
export const shellV2Service = (commandLine: string): string => `shell,v2,raw:${commandLine}`;

/**
 * Collects the output of the command: packets of a kind (one byte), a length
 * (u32le) and data, the last of which is the exit code. Its stdin is closed
 * at once, so that no command waits for input.
 *
 * @param mostOutput bytes that may be collected
 * @throws ConnectionLost when no exit code came; KhError ADB_PROTOCOL, REMOTE_COMMAND_FAILED
 * @see AOSP packages/modules/adb/shell_protocol.h
 */
export async function collectShellV2(socket: AdbSocket, mostOutput?: number): Promise<CommandOutput> {
  await socket.write(Buffer.from([CLOSE_STDIN, 0, 0, 0, 0]));
  const output = collectedOutput(mostOutput);
  for (;;) {
    const header = await socket.read(5);
    const kind = header.readUInt8(0);
    const length = header.readUInt32LE(1);
    if (length > LONGEST_PACKET) throw garbage(`a shell packet of ${length} bytes`);
    const data = await socket.read(length);
    if (kind === STDOUT) output.add('stdout', data);
    else if (kind === STDERR) output.add('stderr', data);
    else if (kind !== EXIT) throw garbage(`a shell packet of kind ${kind}`);
    else if (length !== 1) throw garbage(`an exit code of ${length} bytes`);
    else {
      const [stdout, stderr] = [output.take('stdout'), output.take('stderr')];
      return { exitCode: data.readUInt8(0), stdout, stderr, merged: false };
    }
  }
}
