import { fieldText, hex, open } from './alias-text';
import type { KernelTarget } from './kernel-target';
import { usbAliases } from './usb-aliases';

/** Makes the aliases of one entry of a device table. */
export type AliasWriter = (entry: Buffer) => string[];

/**
 * Buses whose tables are understood. Offsets are those of the structures in
 * include/linux/mod_devicetable.h on 64-bit machines, where they are part of
 * what user space relies on and have kept their places since 5.4.
 */
export const ALIASES_OF: ReadonlyMap<string, AliasWriter> = new Map([
  ['of', openFirmware],
  ['platform', (entry) => [`platform:${fieldText(entry, 0, 24)}`]],
  ['i2c', (entry) => [`i2c:${fieldText(entry, 0, 24)}`]],
  ['spi', (entry) => [`spi:${fieldText(entry, 0, 32)}`]],
  ['acpi', acpi],
  ['virtio', virtio],
  ['pci', pci],
  ['usb', usbAliases],
]);

/** In bytes. */
const ENTRY_SIZE: Readonly<Record<string, number>> = {
  of: 200,
  platform: 32,
  i2c: 32,
  spi: 40,
  acpi: 32,
  virtio: 8,
  pci: 32,
  usb: 32,
};

/** @returns the size of one entry; pci's grew when `override_only` was added (5.15, and kernels that took it over) */
export function entrySize(bus: string, { headerText }: Pick<KernelTarget, 'headerText'>): number {
  const size = ENTRY_SIZE[bus] ?? 0;
  const grown = bus === 'pci' && headerText('include/linux/mod_devicetable.h').includes('override_only');
  return grown ? size + 8 : size;
}

/** Device tree: name, type and compatible; 32, 32 and 128 bytes. A second alias is for nodes with more compatibles. */
function openFirmware(entry: Buffer): string[] {
  const [name, type, compatible] = [
    fieldText(entry, 0, 32),
    fieldText(entry, 32, 64),
    fieldText(entry, 64, 192),
  ];
  const node = `of:N${name || '*'}T${type || '*'}`;
  const alias = compatible === '' ? node : `${node}${type === '' ? '' : '*'}C${compatible}`;
  const plain = alias.replace(/\s/g, '_');
  return [plain, `${plain}C*`];
}

/** An id of up to 16 bytes, or a class and the mask of its three bytes that count. */
function acpi(entry: Buffer): string[] {
  const id = fieldText(entry, 0, 16);
  if (id !== '') return [`acpi*:${id}:*`];
  const [wanted, mask] = [entry.readUInt32LE(24), entry.readUInt32LE(28)];
  const digits = [16, 8, 0].map((shift) =>
    ((mask >>> shift) & 0xff) === 0 ? '??' : ((wanted >>> shift) & 0xff).toString(16).padStart(2, '0'),
  );
  return [`acpi*:${digits.join('')}:*`];
}

function virtio(entry: Buffer): string[] {
  return [open(`virtio:d${idOrAny(entry, 0)}v${idOrAny(entry, 4)}`)];
}

/** Vendor, device, the two of the subsystem, class and the mask of its three bytes that count. */
function pci(entry: Buffer): string[] {
  const forVfio = entry.length > 32 && entry.readUInt32LE(32) === 1;
  const ids = `v${idOrAny(entry, 0)}d${idOrAny(entry, 4)}sv${idOrAny(entry, 8)}sd${idOrAny(entry, 12)}`;
  const [kind, mask] = [entry.readUInt32LE(16), entry.readUInt32LE(20)];
  const byte = (shift: number) =>
    ((mask >>> shift) & 0xff) === 0xff ? hex((kind >>> shift) & 0xff, 2) : '*';
  return [open(`${forVfio ? 'vfio_pci' : 'pci'}:${ids}bc${byte(16)}sc${byte(8)}i${byte(0)}`)];
}

/** A 32-bit id, all ones of which mean any. */
function idOrAny(entry: Buffer, at: number): string {
  const id = entry.readUInt32LE(at);
  return id === 0xffffffff ? '*' : hex(id, 8);
}
