import type { ClientConnection } from './connection';
import { hexFrame, OKAY } from './frames';
import type { Target, Transports } from './transports';

/** The whole list now, and again after every change. */
export async function trackDevices(
  connection: ClientConnection,
  transports: Transports,
  long: boolean,
): Promise<void> {
  await connection.write(OKAY);
  let last: string | undefined;
  let sending = Promise.resolve();
  const send = () => {
    sending = sending
      .then(async () => {
        const text = transports.listing(long);
        if (text === last) return;
        last = text;
        await connection.write(hexFrame(text));
      })
      .catch(() => undefined); // the client left; `hang` below ends the service
  };
  transports.on('changed', send);
  try {
    send();
    await connection.hang();
  } finally {
    transports.off('changed', send);
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
  if (!reached()) {
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        transports.off('changed', check);
        reject(connection.signal.reason);
      };
      const check = () => {
        if (!reached()) return;
        transports.off('changed', check);
        connection.signal.removeEventListener('abort', leave);
        resolve();
      };
      connection.signal.addEventListener('abort', leave);
      connection.hang().catch(() => connection.destroy());
      transports.on('changed', check);
    });
  }
  await connection.write(OKAY);
}
