import { gzipSync } from 'node:zlib';
import { bufferSource } from '../../../../src/core/byte-source';
import {
  configuredValue,
  configuredVersion,
  isConfigOf,
  readEmbeddedConfig,
} from '../../../../src/kbuild/image/embedded-config';
import { SAMPLE_CONFIG } from '../../../../fixtures/images/kernel-with-headers';

const config = Buffer.from(SAMPLE_CONFIG);
const read = (...behind: Buffer[]) =>
  readEmbeddedConfig(bufferSource(Buffer.concat([Buffer.from('xxIKCFG_ST'), ...behind])), 2);

describe('readEmbeddedConfig', () => {
  it('gives the text between the marks', async () => {
    expect((await read(gzipSync(config), Buffer.from('IKCFG_ED')))?.toString()).toBe(SAMPLE_CONFIG);
  });

  it.each([
    ['text that speaks of the mark', Buffer.from(' is what the script looks for')],
    ['nothing', Buffer.alloc(0)],
    ['a start of gzip and no more', Buffer.from([0x1f, 0x8b, 8])],
    [
      'a header of gzip whose parts reach out of the data',
      Buffer.from([0x1f, 0x8b, 8, 0x1f, ...Buffer.alloc(20, 1)]),
    ],
    ['packed bytes that are cut off', gzipSync(config).subarray(0, 60)],
    ['something else that is packed', gzipSync('no configuration')],
  ])('passes over a mark with %s behind it', async (_, behind) => {
    expect(await read(behind)).toBeUndefined();
  });
});

describe('a .config', () => {
  it('tells its version and its options', () => {
    expect(configuredVersion(config)).toBe('6.1.75');
    expect(configuredValue(config, 'HZ')).toBe('250');
    expect(configuredValue(config, 'UNUSED')).toBeUndefined();
  });

  const header = (...lines: string[]) => lines.map((line) => `#define CONFIG_${line}\n`).join('');

  it('is that of an autoconf.h where each option is set to the same', () => {
    const text = Buffer.from(
      'CONFIG_A=y\nCONFIG_B=m\nCONFIG_C="say \\"x\\""\nCONFIG_D=1\nCONFIG_E_MODULE=y\nCONFIG_F=""\n',
    );
    const same = header('A 1', 'B_MODULE 1', 'C "say \\"x\\""', 'D 1', 'E_MODULE 1', 'F ""');
    expect(isConfigOf(text, same)).toBe(true);
    expect(isConfigOf(text, same + header('G 1'))).toBe(false);
    expect(isConfigOf(text, same.replace('B_MODULE', 'B'))).toBe(false);
    expect(isConfigOf(text, same.replace('D 1', 'D 2'))).toBe(false);
  });

  it.each(['0', '1', 'beef', '0xbeef'])('takes the hexadecimal number %s as the header has it', (number) => {
    const header = `#define CONFIG_ADDRESS 0x${number.replace('0x', '')}\n`;
    expect(isConfigOf(Buffer.from(`CONFIG_ADDRESS=${number}\n`), header)).toBe(true);
    expect(isConfigOf(Buffer.from('CONFIG_ADDRESS=2\n'), header)).toBe(false);
  });
});
