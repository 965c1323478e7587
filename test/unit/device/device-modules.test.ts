import type { Access } from '../../../src/device/access';
import { listDeviceModules, receiveDeviceModule } from '../../../src/device/device-modules';
import { fakeDevice } from './support/fake-device';

const KO = '/vendor/lib/modules/a b.ko';
const options = { signal: new AbortController().signal };
const bySu = (answer: string): Access => ({
  adb: fakeDevice({ answers: [[/cat '\\''\/vendor\/lib\/modules\/a b\.ko'/, answer]] }),
  privilege: 'su',
  dialect: 'aosp',
  root: true,
});

async function content(access: Access, bytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of receiveDeviceModule(access, { path: KO, bytes }, options)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('listDeviceModules', () => {
  it('lists modules with their sizes, sorted, and nothing else that is printed', async () => {
    const adb = fakeDevice({
      answers: [
        [
          /^find .*\/system_dlkm\/lib\/modules/,
          `20 /vendor/lib/modules/z.ko\n10 ${KO}\nfind: x.ko: denied\n5 /vendor/y.txt`,
        ],
      ],
    });
    expect(await listDeviceModules({ adb, privilege: 'plain', root: false }, options)).toEqual([
      { path: KO, bytes: 10 },
      { path: '/vendor/lib/modules/z.ko', bytes: 20 },
    ]);
  });
});

describe('receiveDeviceModule', () => {
  it('reads a file over sync, and through su where only su may', async () => {
    const adb = fakeDevice({ files: { [KO]: Buffer.from('bytes') } });
    expect(await content({ adb, privilege: 'adb-root', root: true }, 5)).toBe('bytes');
    expect(await content(bySu('by su'), 6)).toBe('by su\n');
  });

  it.each([
    [3, /more of 3 bytes/],
    [9, /6 of 9 bytes/],
  ])('does not take a file for whole that has other than the %d bytes listed', async (bytes, message) => {
    await expect(content(bySu('by su'), bytes)).rejects.toMatchObject({
      code: 'REMOTE_IO',
      message: expect.stringMatching(message) as string,
    });
  });
});
