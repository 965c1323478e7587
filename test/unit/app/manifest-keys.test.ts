import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateKeys, readSigningKeys, readTrustedKeys } from '../../../src/app/manifest-keys';
import { cleanUp, scratchFolder } from '../store/rig';

afterEach(cleanUp);

const nobody = () => undefined;

describe('a new pair of keys', () => {
  it('is private to its owner, and its public part is the key of the private one', async () => {
    const keys = await generateKeys(join(scratchFolder(), 'lab'));
    expect(statSync(keys.privatePath).mode & 0o777).toBe(0o600);
    const [trusted] = await readTrustedKeys([keys.publicPath]);
    const [signing] = await readSigningKeys({ keys: [keys.privatePath] }, nobody);
    expect([trusted?.id, signing?.id]).toEqual([keys.key, keys.key]);
  });

  it.each(['key', 'pub'])(
    'never takes the place of a .%s that is there, and leaves nothing behind',
    async (kind) => {
      const name = join(scratchFolder(), 'lab');
      writeFileSync(`${name}.${kind}`, 'precious');
      await expect(generateKeys(name)).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining(`lab.${kind} is there already`) as string,
      });
      expect(readFileSync(`${name}.${kind}`, 'utf8')).toBe('precious');
      expect(existsSync(`${name}.${kind === 'key' ? 'pub' : 'key'}`)).toBe(false);
    },
  );

  it('may be encrypted with the first line of a file', async () => {
    const folder = scratchFolder();
    const passphraseFile = join(folder, 'passphrase');
    writeFileSync(passphraseFile, 'open sesame\nand more\n');
    const keys = await generateKeys(join(folder, 'lab'), passphraseFile);
    expect(keys.encrypted).toBe(true);
    expect(readFileSync(keys.privatePath, 'utf8')).toContain('ENCRYPTED PRIVATE KEY');
    await expect(readSigningKeys({ keys: [keys.privatePath] }, nobody)).rejects.toMatchObject({
      code: 'USAGE',
    });
    const [opened] = await readSigningKeys({ keys: [keys.privatePath], passphraseFile }, nobody);
    expect(opened?.id).toBe(keys.key);
  });

  it('is not encrypted with nothing', async () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'empty'), '\n');
    await expect(generateKeys(join(folder, 'lab'), join(folder, 'empty'))).rejects.toMatchObject({
      message: expect.stringContaining('no passphrase') as string,
    });
  });
});

describe('a private key that others may read', () => {
  it('is used, with a warning', async () => {
    const { privatePath } = await generateKeys(join(scratchFolder(), 'lab'));
    chmodSync(privatePath, 0o644);
    const warnings: unknown[] = [];
    await readSigningKeys({ keys: [privatePath] }, (event) => void warnings.push(event));
    expect(warnings).toEqual([{ type: 'warning', message: expect.stringContaining('chmod 600') as string }]);
  });
});

describe('the keys of a folder', () => {
  it('are all of its .pub and .pem files', async () => {
    const folder = join(scratchFolder(), 'trusted');
    mkdirSync(folder);
    const one = await generateKeys(join(folder, '..', 'one'));
    const two = await generateKeys(join(folder, '..', 'two'));
    writeFileSync(join(folder, 'one.pub'), readFileSync(one.publicPath));
    writeFileSync(join(folder, 'two.pem'), readFileSync(two.publicPath));
    writeFileSync(join(folder, 'README'), 'not a key');
    const keys = await readTrustedKeys([folder]);
    expect(keys.map(({ id }) => id)).toEqual([one.key, two.key]);
  });

  it('are not none: an empty folder, and one with a damaged file, are refused', async () => {
    const folder = scratchFolder();
    await expect(readTrustedKeys([folder])).rejects.toMatchObject({ code: 'USAGE' });
    writeFileSync(join(folder, 'bad.pub'), 'damaged');
    await expect(readTrustedKeys([folder])).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('bad.pub') as string,
    });
    await expect(readTrustedKeys([join(folder, 'nowhere.pub')])).rejects.toMatchObject({ code: 'USAGE' });
  });
});
