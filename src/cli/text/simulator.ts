/** What `kh simulate` tells whoever started it by hand. */
export function simulatorHint({
  address,
  port,
  serials,
}: {
  address: string;
  port: number;
  serials: string[];
}): string {
  const count = serials.length === 1 ? '1 simulated device' : `${serials.length} simulated devices`;
  return `${count} on ${address}; try: kh devices -P ${port}. Ctrl-C ends it.\n`;
}
