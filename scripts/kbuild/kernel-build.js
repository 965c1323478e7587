'use strict';
// A kernel's own build folder, prepared for modules: what is compared with, and measured against.
const fs = require('node:fs');
const path = require('node:path');
const { openFileSource } = require('../../dist/core/byte-source');
const { readKernel } = require('../../dist/kbuild/image/kernel-payload');
const { scanExports } = require('../../dist/kbuild/image/scan-exports');
const { kernelArch, kernelVersion, readKernelConfig } = require('../../dist/kbuild/kernel-config');
const { formatSymvers } = require('../../dist/kbuild/symvers/symvers-file');

/** Where kernels leave the archive of their headers, and their image, in the folder of a build. */
const ARCHIVE = 'kernel/kheaders_data.tar.xz';
const IMAGES = {
  arm64: ['arch/arm64/boot/Image'],
  x86_64: ['arch/x86/boot/bzImage', 'arch/x86_64/boot/bzImage'],
};

/**
 * @param folder of `make O=`, after `make modules_prepare` or all of it
 * @param given the archive of its headers and its image, where they are not where the build leaves them
 * @returns what is known of it; `makeWords` tell its make for which processor, and by which compiler
 */
function openKernelBuild(folder, given) {
  const headers = given.headers ?? path.join(folder, ARCHIVE);
  for (const needed of ['include/generated/autoconf.h', 'Module.symvers']) {
    if (!fs.existsSync(path.join(folder, needed))) {
      throw new Error(
        `${folder} is no kernel build that is prepared for modules: there is no ${needed} in it`,
      );
    }
  }
  if (!fs.existsSync(headers)) {
    throw new Error(
      `${headers} is not there: build with CONFIG_IKHEADERS, or name an archive with --headers`,
    );
  }
  const config = readKernelConfig(folder);
  const arch = kernelArch(config);
  const isThere = (name) => fs.existsSync(path.join(folder, name));
  return {
    folder,
    headers,
    arch,
    release: kernelVersion(folder).release,
    image: given.image ?? IMAGES[arch].filter(isThere).map((name) => path.join(folder, name))[0],
    makeWords: [`ARCH=${arch}`, ...(config.isOn('CC_IS_CLANG') ? ['LLVM=1'] : [])],
  };
}

/**
 * Writes the kernel's exports as kh recovers them from its image, or takes the
 * build's own where there is no image.
 *
 * @returns what was done, in words
 */
async function writeSymvers({ folder, image }, target) {
  if (image === undefined) {
    fs.copyFileSync(path.join(folder, 'Module.symvers'), target);
    return 'Module.symvers of the build, as there is no image';
  }
  const source = await openFileSource(image);
  try {
    const { bytes } = await readKernel(source, image, { signal: new globalThis.AbortController().signal });
    fs.writeFileSync(target, formatSymvers(scanExports(bytes, image).entries));
    return image;
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

module.exports = { openKernelBuild, writeSymvers };
