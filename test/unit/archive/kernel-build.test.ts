import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  formatKernelBuildRecord,
  inspectKernelBuild,
  KERNEL_BUILD_RECORD,
  parseKernelBuildRecord,
  type KernelBuildRecord,
} from '../../../src/archive/kernel-build';
import { KhError } from '../../../src/core/errors';
import { tempFolder } from '../../support/temp-folder';

const RECORD: KernelBuildRecord = {
  release: '6.1.75-android14',
  arch: 'arm64',
  headers: { sha256: 'ab'.repeat(32), md5: 'cd'.repeat(16), bytes: 4 },
  missing: [],
};

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!(error instanceof KhError)) throw error;
    return error.code;
  }
};

describe('the record of a kernel-build.tar.xz', () => {
  const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`));
  const records = fc.record({
    release: fc.stringMatching(/^[\x21-\x7e]{1,64}$/),
    arch: fc.stringMatching(/^[\w-]{1,32}$/),
    headers: fc.record({ bytes: fc.maxSafeNat(), md5: hex(32), sha256: hex(64) }),
    missing: fc.array(fc.stringMatching(/^[\x20-\x7e]{1,256}$/)),
  });

  it('is read as it was written', () => {
    fc.assert(
      fc.property(records, (record) => {
        expect(parseKernelBuildRecord(formatKernelBuildRecord(record))).toEqual(record);
      }),
    );
  });

  it('has the same text in whatever order its facts come', () => {
    const { sha256, md5, bytes } = RECORD.headers;
    const turned = { ...RECORD, headers: { bytes, md5, sha256 } };
    expect(formatKernelBuildRecord(turned)).toBe(formatKernelBuildRecord(RECORD));
  });

  it('is refused for whatever else stands there, and never trips the parser', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((text) => `{"kernelBuild":1,"headers":${text}}`),
    );
    fc.assert(
      fc.property(anything, (text) => {
        expect(codeOf(() => parseKernelBuildRecord(text))).toBe('ARCHIVE_INCOMPLETE');
      }),
    );
  });

  it('is refused with any one of its fields damaged', () => {
    const parsed = JSON.parse(formatKernelBuildRecord(RECORD)) as Record<string, unknown>;
    const wrong = fc.constantFrom<unknown>(null, 7.5, -1, '', 'a b', [1], {}, 'x'.repeat(300));
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(parsed)), wrong, (name, value) => {
        expect(codeOf(() => parseKernelBuildRecord(JSON.stringify({ ...parsed, [name]: value })))).toBe(
          'ARCHIVE_INCOMPLETE',
        );
      }),
    );
  });

  it('asks for a newer kh where a newer one wrote it', () => {
    expect(() => parseKernelBuildRecord('{"kernelBuild":2}')).toThrow(/newer form/);
  });
});

describe('a tree of build files', () => {
  const tree = async (files: Record<string, string> = {}) => {
    const root = await tempFolder();
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
    return root;
  };
  const record = { [KERNEL_BUILD_RECORD]: formatKernelBuildRecord(RECORD) };

  it('tells what is in it', async () => {
    expect(await inspectKernelBuild(await tree({ ...record, '.config': 'CONFIG_A=y\n' }))).toEqual({
      ...RECORD,
      config: true,
      symvers: false,
    });
  });

  it.each([
    ['no record', {}],
    ['a record that never ends', { [KERNEL_BUILD_RECORD]: ' '.repeat(70_000) }],
  ])('is refused with %s', async (_, files) => {
    await expect(inspectKernelBuild(await tree(files))).rejects.toMatchObject({ code: 'ARCHIVE_INCOMPLETE' });
  });

  it('is refused where a file that is read at once is larger than any kernel has it', async () => {
    const root = await tree({ ...record, 'Module.symvers': '' });
    truncateSync(join(root, 'Module.symvers'), 40 * 2 ** 20);
    await expect(inspectKernelBuild(root)).rejects.toMatchObject({ code: 'ARCHIVE_LIMIT' });
  });

  it('has no configuration where a folder is called so', async () => {
    const root = await tree(record);
    mkdirSync(join(root, '.config'));
    expect(await inspectKernelBuild(root)).toMatchObject({ config: false });
  });
});
