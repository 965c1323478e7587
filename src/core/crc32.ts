const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** The CRC of gzip and xz. node:zlib has it only since 20.15. */
export function crc32(bytes: Buffer): number {
  let crc = -1;
  const { length } = bytes; // counting beats `for … of` six times over
  for (let at = 0; at < length; at++) crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}
