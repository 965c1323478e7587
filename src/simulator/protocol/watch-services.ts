import { once } from 'node:events';
import type { ClientConnection } from './connection';
import { hexFrame, OKAY } from './frames';
import type { Target, Transports } from './transports';

/** The whole list now, and again after every change. @throws the signal's reason when the client leaves */
export async function trackDevices(
  connection: ClientConnection,
  transports: Transports,
  long: boolean,
): Promise<void> {
  closeWithClient(connection);
  await connection.write(OKAY);
  let last: string | undefined;
  for (;;) {
    const { signal } = connection;
    signal.throwIfAborted();
    const text = transports.listing(long);
    if (text === last) await once(transports, 'changed', { signal });
    else await connection.write(hexFrame(text));
    last = text;
  }
}

/** OKAY at once, and OKAY again when the device is in that state. */
export async function waitFor(
  connection: ClientConnection,
  target: Target,
  state: string,
  transports: Transports,
): Promise<void> {
  await connection.write(OKAY);
  const reached = () => {
    const states = transports.matching(target).map((device) => device.state as string);
    return state === 'disconnect' ? states.length === 0 : states.includes(state);
  };
  closeWithClient(connection);
  while (!reached()) await once(transports, 'changed', { signal: connection.signal });
  await connection.write(OKAY);
}

/** These clients send nothing more: only reading shows that they have left. */
function closeWithClient(connection: ClientConnection): void {
  connection.hang().catch(() => connection.destroy());
}
