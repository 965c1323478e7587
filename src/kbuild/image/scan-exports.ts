import { KhError } from '../../core/errors';
import type { SymversEntry } from '../symvers/symvers-file';

/** What a kernel image exports. */
export interface ScannedExports {
  entries: SymversEntry[];
  /** Whether the kernel keeps CRCs, and its loader compares them. */
  modversions: boolean;
}

/**
 * Finds the table of exported symbols in an unpacked kernel, without its
 * symbols, addresses or relocations.
 *
 * On arm64 and x86_64 an entry holds the distances from its own fields to the
 * symbol, to its name and (since 5.4) to its namespace. So a long run of words
 * at one stride that lead to the beginnings of words is the table. The linker
 * puts behind it, with nothing between: the CRCs in the same order, in the
 * newest kernels a byte of flags for each, and then the names. That the first
 * name lies exactly where this says proves the find.
 *
 * Symbols are sorted by name, once in all in kernels with flags, else those
 * for everyone and then those for GPL modules: the break in the order parts
 * the two. A symbol may stand there twice: KVM in arm64 kernels such as 5.10 has
 * copies of memcpy.o and its like, exports and all.
 *
 * @param image an arm64 Image, or the loaded part of a vmlinux
 * @param name for messages
 * @throws KhError BUILD_NO_EXPORTS
 * @see include/linux/export.h and include/asm-generic/vmlinux.lds.h of the kernel
 */
export function scanExports(image: Buffer, name: string): ScannedExports {
  const bytes = aligned(image);
  for (const stride of STRIDES) {
    for (const run of findRuns(bytes, stride)) {
      for (const table of tablesIn(bytes, run)) {
        const exports = readExports(bytes, table);
        if (exports !== undefined) return exports;
      }
    }
  }
  throw new KhError('BUILD_NO_EXPORTS', {
    message: `${name} is a kernel, but its table of exported symbols was not found`,
    hint: 'Kernels of Linux 4.19 and later for arm64 and x86_64 have it. Give the Module.symvers of its build instead.',
    details: { image: name },
  });
}

/** Bytes of an entry: since 5.4, and before. */
const STRIDES = [12, 8] as const;
/** A kernel has thousands of exports; shorter and longer runs are chance or malice. */
const FEWEST = 8;
const MOST = 100_000;
/** The table is the longest run of its kind in each known kernel; looking at more must not take long. */
const MOST_RUNS = 16;
/** Names lie behind the table and the CRCs, never farther. */
const FARTHEST = 8 << 20;
/** Words next to the table that look like a part of it. */
const STRAYS = 8;
const LONGEST_NAME = 512;

interface Table {
  /** Offset of the first entry. */
  start: number;
  stride: (typeof STRIDES)[number];
  count: number;
}

/** Typed arrays want words where words can be. */
function aligned(image: Buffer): Buffer {
  return image.byteOffset % 4 === 0 ? image : Buffer.from(new Uint8Array(image).buffer);
}

/** Bytes that a symbol's name can begin with. */
const STARTS_NAME = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z_]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/** The longest runs of what may be entries, the longest first. */
function findRuns(bytes: Buffer, stride: Table['stride']): Table[] {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  const step = stride / 4;
  const runs: Table[] = [];
  const first = new Int32Array(step);
  const last = new Int32Array(step).fill(-step);
  const close = (phase: number) => {
    const [from = 0, to = 0] = [first[phase], last[phase]];
    const count = (to - from) / step + 1;
    if (to > 0 && count >= FEWEST && count <= MOST) runs.push({ start: 4 * (from - 1), stride, count });
  };
  // What follows a name in its entry has to be there too.
  for (let index = 1; index < words.length - (step - 2); index++) {
    const distance = words[index] ?? 0;
    if (distance < 4 || distance > FARTHEST) continue;
    if (STARTS_NAME[bytes[4 * index + distance] ?? 0] === 0) continue;
    const phase = index % step;
    if (last[phase] !== index - step) {
      close(phase);
      first[phase] = index;
    }
    last[phase] = index;
  }
  for (let phase = 0; phase < step; phase++) close(phase);
  return runs.sort((one, other) => other.count - one.count).slice(0, MOST_RUNS);
}

/** A table of exports, and where what belongs to it lies. */
interface PlacedTable extends Table {
  /** Offset of the CRCs. */
  crcs: number | undefined;
  /** Offset of the flags. */
  flags: number | undefined;
}

/** The tables that a run can be, without what chance put before and after it. */
function* tablesIn(bytes: Buffer, run: Table): Generator<PlacedTable> {
  for (let before = 0; before <= STRAYS; before++) {
    for (let after = 0; after <= STRAYS; after++) {
      const count = run.count - before - after;
      if (count < FEWEST) break;
      const table = placeTable(bytes, { ...run, start: run.start + before * run.stride, count });
      if (table !== undefined) yield table;
    }
  }
}

/** The linker may leave so many bytes before the names. */
const PADDING = 8;

/** Undefined when the names do not lie where those of such a table have to. */
function placeTable(bytes: Buffer, table: Table): PlacedTable | undefined {
  const { start, stride, count } = table;
  const end = start + stride * count;
  const gap = firstString(bytes, table) - end;
  const isJust = (size: number) => gap >= size && gap < size + PADDING;
  if (gap === 0) return { ...table, crcs: undefined, flags: undefined };
  if (gap === 4 * count) return { ...table, crcs: end, flags: undefined };
  if (isJust(count) && areFlags(bytes, end, count)) return { ...table, crcs: undefined, flags: end };
  const flags = end + 4 * count;
  if (isJust(5 * count) && areFlags(bytes, flags, count)) return { ...table, crcs: end, flags };
  return undefined;
}

/** Offset of the first name or namespace. */
function firstString(bytes: Buffer, { start, stride, count }: Table): number {
  let first = bytes.length;
  for (let entry = start; entry < start + stride * count; entry += stride) {
    for (let field = entry + 4; field < entry + stride; field += 4) {
      const distance = bytes.readInt32LE(field);
      if (distance !== 0) first = Math.min(first, field + distance);
    }
  }
  return first;
}

const GPL_ONLY = 1;

/** CRCs are no flags: few bits of a byte are in use. */
function areFlags(bytes: Buffer, start: number, count: number): boolean {
  return start + count <= bytes.length && bytes.subarray(start, start + count).every((flags) => flags < 8);
}

/** Undefined when names, their order or namespaces show that this is not the table. */
function readExports(bytes: Buffer, table: PlacedTable): ScannedExports | undefined {
  const { start, stride, count, crcs, flags } = table;
  const names: string[] = [];
  const namespaces: string[] = [];
  for (let entry = start; entry < start + stride * count; entry += stride) {
    const name = stringAt(bytes, entry + 4);
    const namespace = stride === 12 ? stringAt(bytes, entry + 8) : '';
    if (name === undefined || namespace === undefined || !/^[\w.$]+$/.test(name)) return undefined;
    names.push(name);
    namespaces.push(namespace);
  }
  const breaks = names.flatMap((name, index) =>
    index > 0 && name < (names[index - 1] ?? '') ? [index] : [],
  );
  const [firstGpl = count] = breaks;
  if (breaks.length > 1 || (breaks.length === 0 && flags === undefined)) return undefined;
  const entries = names.map((name, index) => ({
    name,
    crc: crcs === undefined ? undefined : bytes.readUInt32LE(crcs + 4 * index) || undefined,
    module: 'vmlinux',
    gpl: flags === undefined ? index >= firstGpl : (bytes.readUInt8(flags + index) & GPL_ONLY) !== 0,
    namespace: namespaces[index] ?? '',
  }));
  const once = entries.filter(({ name }, index) => name !== names[index - 1]);
  const modversions = crcs !== undefined;
  // Each module of a kernel with CRCs refers to it.
  return modversions && !names.includes('module_layout') ? undefined : { entries: once, modversions };
}

/** The text that a field leads to; empty where it leads nowhere, undefined for what is no text. */
function stringAt(bytes: Buffer, field: number): string | undefined {
  const distance = bytes.readInt32LE(field);
  if (distance === 0) return '';
  const start = field + distance;
  if (start < 0 || start >= bytes.length) return undefined;
  const end = bytes.subarray(start, start + LONGEST_NAME).indexOf(0);
  if (end < 0) return undefined;
  const text = bytes.toString('latin1', start, start + end);
  return /^[!-~]*$/.test(text) ? text : undefined;
}
