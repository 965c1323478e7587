/** The `default` of a switch that must name every case: a case left out does not compile. */
export function unreachable(value: never): never {
  throw new Error(`not a known case: ${JSON.stringify(value)}`);
}
