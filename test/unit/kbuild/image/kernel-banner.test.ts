import { bufferSource } from '../../../../src/core/byte-source';
import { readBanner } from '../../../../src/kbuild/image/kernel-banner';

const read = (text: string) => readBanner(bufferSource(Buffer.from(`\0${text}`, 'latin1')), 1);

describe('readBanner', () => {
  it('reads release and version, whatever the compiler calls itself', async () => {
    const line =
      'Linux version 6.1.75-android14 (kleaf@host) (Android (1, +pgo) clang version 17.0.2 (https://x), LLD 17) #1 SMP PREEMPT Thu Jan 1\n';
    expect(await read(line)).toEqual({ release: '6.1.75-android14', version: '#1 SMP PREEMPT Thu Jan 1' });
  });

  it.each([
    ['the form that /proc/version is printed with', 'Linux version %s (%s) (%s) %s\n'],
    ['a line without a build number', 'Linux version 6.1.75 (a) (b)\n'],
    ['a line that does not end', `Linux version 6.1.75 (a) (b) #1 ${'x'.repeat(5000)}`],
    ['a line with other bytes in it', 'Linux version 6.1.75 (a) (b) #1 \x1b[31m\n'],
    ['a release longer than a kernel can have', `Linux version ${'6'.repeat(80)} (a) (b) #1\n`],
  ])('passes over %s', async (_, text) => {
    expect(await read(text)).toBeUndefined();
  });
});
