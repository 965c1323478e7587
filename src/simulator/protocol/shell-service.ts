import type { FaultDescription } from '../faults';
import { runCommandLine } from '../shell/run-command-line';
import { ShellInput, type ShellOutput } from '../shell/streams';
import type { ClientConnection } from './connection';
import { SHELL_PACKET, shellPacket } from './frames';
import type { Wire } from './wire';

export interface ShellRequest {
  commandLine: string;
  /** `packets` is shell_v2; `raw` mixes both outputs and carries no exit code. */
  form: 'packets' | 'raw';
  point: 'shell' | 'exec';
}

/** Devices before Android 7 run `shell:` commands on a terminal, which ends lines by CR LF. */
const FIRST_SDK_WITHOUT_TERMINAL = 24;
/** What adbd puts into one. */
const MOST_IN_PACKET = 65_536;
const LARGEST_PACKET = 16 * 2 ** 20;

/** Runs one command line in the device's shell, with the client on its three streams. */
export async function serveShell(wire: Wire, request: ShellRequest): Promise<void> {
  const { device, connection } = wire;
  const { commandLine, form, point } = request;
  wire.begin(point, commandLine);
  const stdin = new ShellInput();
  void feedInput(connection, stdin, form).catch(() => stdin.end());
  const fault = device.faults.strike(point, ['corrupt', 'wrong-size', 'fail'], commandLine);
  const terminal =
    point === 'shell' && form === 'raw' && device.parts.description.sdk < FIRST_SDK_WITHOUT_TERMINAL;
  const send = async (id: number, bytes: Buffer) => {
    if (form === 'raw') return wire.write(terminal ? withCarriageReturns(bytes) : bytes);
    for (let at = 0; at < bytes.length; at += MOST_IN_PACKET) {
      await wire.write(shellPacket(id, bytes.subarray(at, at + MOST_IN_PACKET)));
    }
  };
  const output = withFault((bytes) => send(SHELL_PACKET.stdout, bytes), fault);
  const exitCode = await runCommandLine(commandLine, {
    device,
    uid: device.uid,
    stdin,
    stdout: output.stdout,
    stderr: { write: (bytes) => send(SHELL_PACKET.stderr, bytes) },
    signal: connection.signal,
  });
  if (form === 'packets') await send(SHELL_PACKET.exit, Buffer.from([output.exitCode(exitCode)]));
  await wire.finish();
}

function withCarriageReturns(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
}

/** stdout and exit code of a shell, with the content fault that is due: see docs/simulator.md. */
function withFault(send: (bytes: Buffer) => Promise<void>, fault: FaultDescription | undefined) {
  const at = fault?.at ?? 0;
  let sent = 0;
  const write = async (bytes: Buffer) => {
    const start = sent;
    sent += bytes.length;
    const struck = fault !== undefined && sent > at;
    if (!struck) return send(bytes);
    if (fault.kind !== 'corrupt') return start < at ? send(bytes.subarray(0, at - start)) : undefined;
    const copy = Buffer.from(bytes);
    if (start <= at) copy.writeUInt8(copy.readUInt8(at - start) ^ 1, at - start);
    return send(copy);
  };
  const stdout: ShellOutput = { write };
  return { stdout, exitCode: (code: number) => (fault?.kind === 'fail' ? 1 : code) };
}

/** What the client types, until it leaves or says that no more comes. */
async function feedInput(
  connection: ClientConnection,
  stdin: ShellInput,
  form: ShellRequest['form'],
): Promise<void> {
  for (;;) {
    if (form === 'raw') {
      await stdin.push(await connection.readSome());
      continue;
    }
    const header = await connection.read(5);
    const length = header.readUInt32LE(1);
    if (length > LARGEST_PACKET) {
      connection.destroy();
      return;
    }
    const payload = await connection.read(length);
    const id = header.readUInt8(0);
    if (id === SHELL_PACKET.stdin) await stdin.push(payload);
    if (id === SHELL_PACKET.closeStdin) stdin.end();
  }
}
