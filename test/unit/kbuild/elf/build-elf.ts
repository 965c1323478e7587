/** Makes small ELF64 objects out of a description, for tests that need what no compiler makes. */

export interface SectionPlan {
  name: string;
  type?: number;
  flags?: number;
  /** 16 zeros by default. */
  data?: Buffer;
  /** Of a section without bytes in the file. */
  size?: number;
  /** The index of the section that it goes with. */
  link?: number;
  entsize?: number;
}

export interface SymbolPlan {
  name: string;
  /** A name of `sections`, or a number; 0 (undefined) by default. */
  section?: string | number;
  value?: number;
  size?: number;
  bind?: number;
  type?: number;
}

export interface RelocationPlan {
  section: string;
  offset?: number;
  type: number;
  /** The name of one of `symbols`; any other for none. */
  symbol: string;
  addend?: number;
}

export interface ElfPlan {
  machine?: number;
  type?: number;
  sections?: SectionPlan[];
  symbols?: SymbolPlan[];
  relocations?: RelocationPlan[];
}

interface Header {
  name: string;
  type: number;
  flags: number;
  data: Buffer;
  size: number;
  link: number;
  info: number;
  entsize: number;
}

/** Local symbols must come first in `plan.symbols`, as in every ELF file. */
export function buildElf(plan: ElfPlan = {}): Buffer {
  const { sections = [], symbols = [], relocations = [] } = plan;
  const headers: Header[] = sections.map(
    ({ name, type = 1, flags = 6, data = Buffer.alloc(16), size, link = 0, entsize = 0 }) => {
      const bytes = type === 8 ? Buffer.alloc(0) : data;
      return header({ name, type, flags, data: bytes, size: size ?? data.length, link, entsize });
    },
  );
  const indexOf = (name: string) => headers.findIndex((section) => section.name === name) + 1;
  const strings = stringTable(symbols.map(({ name }) => name));
  const symtab = headers.length + 1;
  const entries = [Buffer.alloc(24), ...symbols.map((symbol) => symbolEntry(symbol, strings.at, indexOf))];
  const locals = symbols.filter(({ bind = 1 }) => bind === 0).length;
  headers.push(
    header({
      name: '.symtab',
      type: 2,
      data: Buffer.concat(entries),
      link: symtab + 1,
      info: locals + 1,
      entsize: 24,
    }),
    header({ name: '.strtab', type: 3, data: strings.bytes }),
  );
  for (const target of new Set(relocations.map(({ section }) => section))) {
    const data = Buffer.concat(
      relocations
        .filter(({ section }) => section === target)
        .map((relocation) => relocationEntry(relocation, symbols)),
    );
    headers.push(
      header({ name: `.rela${target}`, type: 4, data, link: symtab, info: indexOf(target), entsize: 24 }),
    );
  }
  return assemble(plan, headers);
}

function header(fields: Pick<Header, 'name' | 'type' | 'data'> & Partial<Header>): Header {
  return { flags: 0, link: 0, info: 0, entsize: 0, size: fields.data.length, ...fields };
}

function stringTable(names: string[]) {
  const at = new Map<string, number>();
  let text = '\0';
  for (const name of names) {
    if (at.has(name)) continue;
    at.set(name, text.length);
    text += `${name}\0`;
  }
  return { at, bytes: Buffer.from(text, 'latin1') };
}

function symbolEntry(
  plan: SymbolPlan,
  names: Map<string, number>,
  indexOf: (name: string) => number,
): Buffer {
  const { name, section = 0, value = 0, size = 0, bind = 1, type = 0 } = plan;
  const entry = Buffer.alloc(24);
  entry.writeUInt32LE(names.get(name)!, 0);
  entry.writeUInt8((bind << 4) | type, 4);
  entry.writeUInt16LE(typeof section === 'number' ? section : indexOf(section), 6);
  entry.writeBigUInt64LE(BigInt(value), 8);
  entry.writeBigUInt64LE(BigInt(size), 16);
  return entry;
}

function relocationEntry(plan: RelocationPlan, symbols: SymbolPlan[]): Buffer {
  const entry = Buffer.alloc(24);
  entry.writeBigUInt64LE(BigInt(plan.offset ?? 0), 0);
  entry.writeUInt32LE(plan.type, 8);
  entry.writeUInt32LE(symbols.findIndex(({ name }) => name === plan.symbol) + 1, 12);
  entry.writeBigInt64LE(BigInt(plan.addend ?? 0), 16);
  return entry;
}

function assemble({ machine = 183, type = 1 }: ElfPlan, headers: Header[]): Buffer {
  const names = stringTable([...headers.map(({ name }) => name), '.shstrtab']);
  const all = [...headers, header({ name: '.shstrtab', type: 3, data: names.bytes })];
  const head = Buffer.alloc(64);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.writeUInt16LE(type, 16);
  head.writeUInt16LE(machine, 18);
  head.writeUInt32LE(1, 20);
  const offsets: number[] = [];
  let end = 64;
  for (const { data } of all) {
    offsets.push(end);
    end += data.length;
  }
  head.writeBigUInt64LE(BigInt(end), 40);
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(64, 58);
  head.writeUInt16LE(all.length + 1, 60);
  head.writeUInt16LE(all.length, 62);
  const table = all.map((section, index) => {
    const entry = Buffer.alloc(64);
    entry.writeUInt32LE(names.at.get(section.name)!, 0);
    entry.writeUInt32LE(section.type, 4);
    entry.writeBigUInt64LE(BigInt(section.flags), 8);
    entry.writeBigUInt64LE(BigInt(offsets[index]!), 24);
    entry.writeBigUInt64LE(BigInt(section.size), 32);
    entry.writeUInt32LE(section.link, 40);
    entry.writeUInt32LE(section.info, 44);
    entry.writeBigUInt64LE(1n, 48);
    entry.writeBigUInt64LE(BigInt(section.entsize), 56);
    return entry;
  });
  return Buffer.concat([head, ...all.map(({ data }) => data), Buffer.alloc(64), ...table]);
}
