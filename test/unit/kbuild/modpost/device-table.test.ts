import { readAliases } from '../../../../src/kbuild/modpost/device-table';
import { compilers, moduleOf } from './support/compile';
import { kernel } from './support/kernel';

/** The structures as a driver's author sees them, in the sizes of 64-bit machines. */
const TYPES = `
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long ul;
struct of_device_id { char name[32], type[32], compatible[128]; const void *data; };
struct platform_device_id { char name[20]; ul data; };
struct i2c_device_id { char name[20]; ul data; };
struct spi_device_id { char name[32]; ul data; };
struct acpi_device_id { u8 id[16]; ul data; u32 cls, cls_msk; };
struct virtio_device_id { u32 device, vendor; };
struct pci_device_id { u32 vendor, device, subvendor, subdevice, class, class_mask; ul data; };
struct pci_device_id_515 { u32 vendor, device, subvendor, subdevice, class, class_mask; ul data; u32 override_only; };
struct usb_device_id { u16 flags, vendor, product, lo, hi; u8 dc, dsc, dp, ic, isc, ip, in; ul info; };
#define ANY (~0U)
#define TABLE(bus, table) extern typeof(table) __mod_##bus##__##table##_device_table __attribute__((alias(#table)));
`;

const target = kernel('6.1', 'MODVERSIONS');
const read = (source: string, compiler = compilers()[0]!) =>
  readAliases(moduleOf(TYPES + source, { compiler }), target);

describe.each(compilers())('aliases from an object of $name', (compiler) => {
  it.each([
    ['of', '{ .compatible = "kh,thing" }', ['of:N*T*Ckh,thing', 'of:N*T*Ckh,thingC*']],
    ['of', '{ .name = "a b", .type = "net" }', ['of:Na_bTnet', 'of:Na_bTnetC*']],
    ['of', '{ .type = "net", .compatible = "x" }', ['of:N*Tnet*Cx', 'of:N*Tnet*CxC*']],
    ['platform', '{ "kh-thing" }', ['platform:kh-thing']],
    ['i2c', '{ "eeprom" }, { "rtc" }', ['i2c:eeprom', 'i2c:rtc']],
    ['spi', '{ "flash" }', ['spi:flash']],
    ['acpi', '{ "KHKH0001" }', ['acpi*:KHKH0001:*']],
    ['acpi', '{ .cls = 0x0c0330, .cls_msk = 0xffff00 }', ['acpi*:0c03??:*']],
    ['virtio', '{ 16, ANY }', ['virtio:d00000010v*']],
    ['virtio', '{ 16, 0x1af4 }', ['virtio:d00000010v00001AF4*']],
    ['pci', '{ 0x8086, 0x10d3, ANY, ANY }', ['pci:v00008086d000010D3sv*sd*bc*sc*i*']],
    ['pci', '{ ANY, ANY, ANY, ANY, 0x0c0330, 0xffff00 }', ['pci:v*d*sv*sd*bc0Csc03i*']],
    ['pci', '{ ANY, ANY, 1, 2, 0x0c0330, 0xffffff }', ['pci:v*d*sv00000001sd00000002bc0Csc03i30*']],
    ['usb', '{ 3, 0x1d6b, 0x0104 }', ['usb:v1D6Bp0104d*dc*dsc*dp*ic*isc*ip*in*']],
    ['usb', '{ 0x380, .ic = 8, .isc = 6, .ip = 0x50 }', ['usb:v*p*d*dc*dsc*dp*ic08isc06ip50in*']],
    ['usb', '{ .info = 1 }', []],
  ])('of a %s table with %s', (bus, entries, aliases) => {
    const source = `const struct ${bus}_device_id ids[] = { ${entries}, {} }; TABLE(${bus}, ids)`;
    expect(read(source, compiler)).toEqual({ aliases, diagnostics: [] });
  });
});

describe('device tables', () => {
  it('are found under the names that later kernels give them', () => {
    const table = 'const struct spi_device_id ids[] = { { "flash" }, {} };';
    for (const name of ['__mod_device_table__spi__ids', '__mod_device_table__kmod_thing__spi__ids']) {
      const source = `${table} extern typeof(ids) ${name} __attribute__((alias("ids")));`;
      expect(read(source).aliases).toEqual(['spi:flash']);
    }
  });

  it('of pci have longer entries where the headers say so, and tell those that only VFIO may take', () => {
    const later = { ...target, headerText: () => 'struct pci_device_id { __u32 override_only; };' };
    const source = `const struct pci_device_id_515 ids[] = { { 1, 2, ANY, ANY, .override_only = 1 }, {} }; TABLE(pci, ids)`;
    expect(readAliases(moduleOf(TYPES + source), later).aliases).toEqual([
      'vfio_pci:v00000001d00000002sv*sd*bc*sc*i*',
    ]);
  });

  it('must end with an empty entry', () => {
    const source = 'const struct spi_device_id ids[] = { { "flash" } }; TABLE(spi, ids)';
    expect(read(source).diagnostics).toMatchObject([
      { severity: 'error', text: 'the spi device table does not end with an empty entry: add { }' },
    ]);
  });

  it('must have entries of the size of the bus', () => {
    const source = 'const char ids[41] = "x"; TABLE(spi, ids)';
    expect(read(source).diagnostics).toMatchObject([
      {
        severity: 'error',
        text: 'the spi device table has 41 bytes, which are no entries of 40 bytes each',
      },
    ]);
  });

  it('of other buses get a warning that says what is lost', () => {
    const source = 'const char ids[4] = { 1 }; TABLE(hid, ids)';
    const { aliases, diagnostics } = read(source);
    expect(aliases).toEqual([]);
    expect(diagnostics).toMatchObject([{ severity: 'warning', kind: 'device-table' }]);
    expect(diagnostics[0]!.text).toMatch(/^kh writes no aliases for MODULE_DEVICE_TABLE\(hid, …\)/);
  });
});
