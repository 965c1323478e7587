export type Paint = (text: string) => string;

/** The few colours that kh uses; each is the identity where colour is off. */
export interface Palette {
  bold: Paint;
  dim: Paint;
  red: Paint;
  green: Paint;
  yellow: Paint;
}

/** @param enabled see `wantsColour` */
export function palette(enabled: boolean): Palette {
  const paint =
    (on: number, off: number): Paint =>
    (text) =>
      enabled ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
  };
}

/**
 * Whether to colour what goes to a stream: on a terminal, unless NO_COLOR is
 * set or TERM is dumb; and wherever FORCE_COLOR is set to anything but 0.
 *
 * @see https://no-color.org
 */
export function wantsColour(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no } = env;
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  if (no !== undefined && no !== '') return false;
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}
