import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  makeKernel,
  arm64Image,
  bootImage,
  bzImage,
  sampleExports,
  vmlinux,
  zboot,
} from '../../../fixtures/images/make-images';
import { lz4Frame, lz4Legacy } from '../../../fixtures/images/lz4-encode';
import { storedXz } from '../../../fixtures/archives/stored-xz';
import { AdbSocket, ConnectionLost } from '../../../src/adb/adb-socket';
import { parseDeviceList } from '../../../src/adb/device-list';
import { collectShellV1 } from '../../../src/adb/shell-v1';
import { collectShellV2 } from '../../../src/adb/shell-v2';
import { FailReply, readBlock, readStatus } from '../../../src/adb/smart-socket';
import { receiveFile, statV1, statV2 } from '../../../src/adb/sync';
import {
  formatSignatures,
  parseManifest,
  parseSignatures,
  type ManifestSignature,
} from '../../../src/archive/manifest';
import { makeSampleTar } from '../../../src/archive/sample-archive';
import { extractTar } from '../../../src/archive/tar/extract-tar';
import { unpackChunks } from '../../../src/archive/unpack-archive';
import { KhError, type ErrorCode } from '../../../src/core/errors';
import { readElf } from '../../../src/kbuild/elf/elf-file';
import { findBootKernel } from '../../../src/kbuild/image/boot-image';
import { bufferSource } from '../../../src/core/byte-source';
import { readKernel } from '../../../src/kbuild/image/kernel-payload';
import { scanExports } from '../../../src/kbuild/image/scan-exports';
import { runModpost } from '../../../src/kbuild/modpost/run-modpost';
import { readModuleSymbols } from '../../../src/kbuild/symvers/module-exports';
import { parseSymvers } from '../../../src/kbuild/symvers/symvers-file';
import { formatWorkspaceRecord, parseWorkspaceRecord } from '../../../src/store/workspace-record';
import { inChunks, limits, listing, never, scratch } from '../../unit/archive/support/scratch';
import { buildElf } from '../../unit/kbuild/elf/build-elf';
import { exported, kernel } from '../../unit/kbuild/modpost/support/kernel';
import { workspaceRecord } from '../../unit/store/rig';
import { adbBytes, damaged, deviceLists, manifests, tars } from './arbitraries';

/** One reader of foreign bytes. */
export interface FuzzTarget {
  /** The folder of its corpus below fixtures/fuzz. */
  name: string;
  /** Makes the generator; some need an archive made first. */
  inputs: () => fc.Arbitrary<Buffer> | Promise<fc.Arbitrary<Buffer>>;
  /** Reads the bytes. Throws where that does anything but give a value, or an error of its own. */
  check: (bytes: Buffer) => Promise<void>;
}

/** Lets errors with these codes pass, and what is no bug by its class; throws all others. */
async function only(
  codes: readonly ErrorCode[],
  work: () => unknown,
  others: (new (...args: never[]) => Error)[] = [],
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const expected = error instanceof KhError && codes.includes(error.code);
    if (!expected && !others.some((other) => error instanceof other)) throw error;
  }
}

const text = (strings: fc.Arbitrary<string>) => strings.map((some) => Buffer.from(some));

/** A connection on which these bytes come, and then its end. */
function socketWith(bytes: Buffer): AdbSocket {
  const duplex = new Duplex({ read: () => undefined, write: (_, __, done) => done() });
  for (let at = 0; at < bytes.length; at += 7) duplex.push(bytes.subarray(at, at + 7));
  duplex.push(null);
  const socket = Object.assign(duplex, { destroySoon: () => duplex.destroy() }) as unknown as Socket;
  return new AdbSocket(socket, { signal: never, timeout: 5000, stallTimeout: 5000 }, 'fuzzing');
}

async function drain(chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) if (chunk.length === 0) throw new Error('an empty chunk');
}

const ADB_READERS: ((socket: AdbSocket) => Promise<unknown>)[] = [
  (socket) => readStatus(socket, 'host:x'),
  readBlock,
  (socket) => drain(receiveFile(socket, '/x')),
  (socket) => statV1(socket, '/x'),
  (socket) => statV2(socket, '/x'),
  (socket) => collectShellV1(socket, '@mark:'),
  (socket) => collectShellV2(socket),
];
const ADB_ERRORS = [
  'ADB_PROTOCOL',
  'REMOTE_DENIED',
  'REMOTE_NOT_FOUND',
  'REMOTE_IO',
  'REMOTE_COMMAND_FAILED',
] as const;
const ARCHIVE_ERRORS = ['ARCHIVE_CORRUPT', 'ARCHIVE_TRUNCATED', 'ARCHIVE_UNSAFE', 'ARCHIVE_LIMIT'] as const;

/** What the archive makes stays in its folder, whatever it says. */
async function unpacked(work: (treePath: string) => Promise<unknown>): Promise<void> {
  using place = scratch();
  await only(ARCHIVE_ERRORS, () => work(place.tree));
  const outside = [...listing(place.root).keys()].filter(
    (path) => !path.startsWith('stage/tree') && path !== 'stage',
  );
  if (outside.length > 0) throw new Error(`written outside: ${outside.join(', ')}`);
}

const IMAGE = arm64Image(makeKernel({ exports: sampleExports(), form: 'split' }));
const IMAGES = [
  bootImage(2, gzipSync(IMAGE)),
  bootImage(4, lz4Legacy(IMAGE)),
  lz4Frame(IMAGE, { linked: true }),
  zboot(lz4Legacy(IMAGE), 'lz4'),
  bzImage(gzipSync(vmlinux(IMAGE)), { sized: false }),
  IMAGE,
];
const IMAGE_ERRORS = ['BUILD_BAD_IMAGE', 'BUILD_NO_EXPORTS', 'DECODER_MISSING'] as const;
const MOST_UNPACKED = 1 << 22;

const SIGNATURE: ManifestSignature = {
  key: 'ab'.repeat(32),
  sha256: 'cd'.repeat(32),
  signedAt: '2026-11-21T12:00:00.000Z',
  expires: '2027-11-21',
  signature: `${'A'.repeat(86)}==`,
};

const OBJECT = buildElf({
  sections: [
    { name: '.text' },
    { name: '.modinfo', data: Buffer.from('license=GPL\0name=x\0depends=\0vermagic=6.1.0 SMP\0') },
    { name: '__ksymtab_strings', data: Buffer.from('give\0\0value\0KH\0') },
    { name: '.gnu.linkonce.this_module', data: Buffer.alloc(64) },
  ],
  symbols: [
    { name: 'init_module', section: '.text', bind: 1, type: 2 },
    { name: '_printk', bind: 1 },
    { name: '__ksymtab_give', section: '__ksymtab_strings', bind: 1 },
  ],
  relocations: [{ section: '.text', type: 283, symbol: '_printk' }],
});

export const FUZZ_TARGETS: FuzzTarget[] = [
  {
    name: 'adb-frames',
    inputs: () => adbBytes,
    check: async (bytes) => {
      for (const read of ADB_READERS) {
        await only(ADB_ERRORS, async () => {
          using socket = socketWith(bytes);
          await read(socket);
        }, [ConnectionLost, FailReply]);
      }
    },
  },
  {
    name: 'device-lists',
    inputs: () => text(deviceLists),
    check: async (bytes) => {
      for (const { serial, state } of parseDeviceList(bytes.toString('utf8'))) {
        if (serial === '' || state === '') throw new Error('a device without a serial, or without a state');
      }
    },
  },
  {
    name: 'tar',
    inputs: async () => fc.oneof(tars, damaged(await makeSampleTar({ release: '6.1.0' }))),
    check: (bytes) =>
      unpacked((treePath) => extractTar(inChunks(bytes), { treePath, limits, signal: never })),
  },
  {
    name: 'xz',
    inputs: async () => damaged(storedXz([await makeSampleTar({ release: '6.1.0' })])),
    check: async (bytes) => {
      for (const decoder of ['native', 'wasm'] as const) {
        await unpacked((treePath) =>
          unpackChunks(inChunks(bytes), { treePath, limits, signal: never, decoder }),
        );
      }
    },
  },
  {
    name: 'manifests',
    inputs: () => text(manifests),
    check: (bytes) => only(['MANIFEST_UNUSABLE'], () => parseManifest(bytes.toString('utf8'), 'manifest')),
  },
  {
    name: 'manifest-signatures',
    inputs: () => damaged(Buffer.from(formatSignatures([SIGNATURE]))),
    check: (bytes) =>
      only(['MANIFEST_UNUSABLE'], () => parseSignatures(bytes.toString('utf8'), 'lab.json.sig')),
  },
  {
    name: 'workspace-records',
    inputs: () => damaged(Buffer.from(formatWorkspaceRecord(workspaceRecord()))),
    check: (bytes) =>
      only(['STORE_DAMAGED', 'STORE_NEWER'], () =>
        parseWorkspaceRecord(bytes.toString('utf8'), '/store/workspace.json'),
      ),
  },
  {
    name: 'symvers',
    inputs: () => damaged(Buffer.from('0x12345678\tgive\tvmlinux\tEXPORT_SYMBOL_GPL\t\n'.repeat(3))),
    check: (bytes) =>
      only(['BUILD_BAD_SYMVERS'], () => parseSymvers(bytes.toString('utf8'), 'Module.symvers')),
  },
  {
    name: 'elf',
    inputs: () => damaged(OBJECT),
    check: async (bytes) => {
      await only(['BUILD_BAD_OBJECT'], () => {
        const elf = readElf(bytes, 'a.o');
        for (const section of elf.sections) {
          section.data();
          elf.relocations(section);
        }
      });
      await only(['BUILD_BAD_OBJECT'], () => readModuleSymbols(bytes, 'a.ko'));
    },
  },
  {
    name: 'modpost',
    inputs: () => damaged(OBJECT),
    check: (bytes) =>
      only(['BUILD_BAD_OBJECT'], () =>
        runModpost({
          objects: [{ path: 'a.o', bytes }],
          kernel: kernel('6.1', 'MODVERSIONS'),
          kernelExports: [exported('module_layout'), exported('_printk')],
          extraExports: [],
          warnOnly: false,
          kernelSymbols: () => new Map(),
        }),
      ),
  },
  {
    name: 'boot-images',
    inputs: () => fc.oneof(...IMAGES.slice(0, 2).map(damaged)),
    check: (bytes) => only(IMAGE_ERRORS, () => findBootKernel(bufferSource(bytes), 'the image')),
  },
  {
    name: 'kernel-images',
    inputs: () => fc.oneof(...IMAGES.map(damaged)),
    check: async (bytes) => {
      await only(IMAGE_ERRORS, () =>
        readKernel(bufferSource(bytes), 'the image', { limit: MOST_UNPACKED, signal: never }),
      );
      await only(IMAGE_ERRORS, () => scanExports(bytes, 'the image'));
    },
  },
];
