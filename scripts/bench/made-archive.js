'use strict';
// Makes an archive of the size and shape of a real kheaders.tar.xz, with text
// of our own in place of the kernel's: about 6,200 headers in 320 folders,
// 26 MB, which xz packs into 4 MB. The same release gives the same bytes.
const { spawnSync } = require('node:child_process');
const { posix } = require('node:path');
const { buffer } = require('node:stream/consumers');
const { pack } = require('tar-stream');
const { encodeXz } = require('../../dist/archive/xz/encode-xz');

const RELEASE = '6.1.145-android14-11-gbench';
const FILES = 6200;
const FOLDERS = 310;
const MTIME = new Date('2024-01-01T00:00:00Z');

const WORDS =
  'addr align async attr bank base bind bio block bridge buf bus cache cell chan chip clk code cpu ctrl data desc dev dma domain entry event fault fence field fifo flag frame gate group hash head hub index init iomap irq key lane latch level limit link list lock map mask mem mode mux node offset page parent path phy pin pipe pll poll pool port power queue range rate reg region reset ring route rx sched scope sense slot src stage state status step stream sync table target timer token trace tx unit vec view wait watch window zone'.split(
    ' ',
  );
const TYPES = ['u8', 'u16', 'u32', 'u64', 'bool', 'int', 'unsigned long', 'void *', 'size_t'];
const ROOTS = [
  'include/linux',
  'include/net',
  'include/dt-bindings',
  'include/uapi',
  'arch/arm64/include/asm',
];

/** Headers that kh asks of every archive; the made ones come on top. */
const REQUIRED = {
  'include/linux/kconfig.h': '#include <generated/autoconf.h>\n',
  'include/linux/types.h': 'typedef unsigned int u32;\n',
  'include/uapi/linux/types.h': 'typedef unsigned int __u32;\n',
  'include/generated/autoconf.h': '#define CONFIG_IKHEADERS 1\n#define CONFIG_MODULES 1\n',
  'include/generated/utsrelease.h': `#define UTS_RELEASE "${RELEASE}"\n`,
};

/** @returns {Promise<Buffer>} the .tar.xz, for a kernel of release `RELEASE` */
async function makeArchive() {
  const tar = pack();
  const bytes = buffer(tar);
  for (const [name, text] of members()) {
    const header = { name: `./${name}`, uid: 0, gid: 0, mtime: MTIME };
    if (text === undefined) tar.entry({ ...header, type: 'directory', mode: 0o755 });
    else tar.entry({ ...header, mode: 0o644 }, text);
  }
  tar.finalize();
  return compress(await bytes);
}

/** As the kernel build does. lzma-native makes an archive just as good, in ten times the time. */
function compress(tar) {
  const xz = spawnSync('xz', ['-6', '-T1', '--check=crc64', '-c'], { input: tar, maxBuffer: tar.length });
  return xz.status === 0 ? xz.stdout : encodeXz(tar);
}

/** Names with their text, or undefined for a folder; each folder before what is in it. */
function members() {
  const texts = new Map(Object.entries(REQUIRED));
  const random = numbers(1);
  const folders = folderNames(random);
  for (let n = 0; n < FILES; n += 1) {
    const name = `${pick(random, folders)}/${pick(random, WORDS)}-${pick(random, WORDS)}-${n}.h`;
    texts.set(name, headerText(name, random));
  }
  const all = new Map([['', undefined], ...texts]);
  for (const name of texts.keys()) {
    for (let folder = posix.dirname(name); folder !== '.'; folder = posix.dirname(folder)) {
      all.set(`${folder}/`, undefined);
    }
  }
  return [...all].sort(([one], [other]) => (one < other ? -1 : 1));
}

function folderNames(random) {
  const names = [...ROOTS];
  while (names.length < FOLDERS) {
    const parent = pick(random, names);
    if (parent.split('/').length < 6) names.push(`${parent}/${pick(random, WORDS)}${names.length}`);
  }
  return names;
}

/** Few headers are long and most are short, as in a kernel: 4 KB on average, 350 KB at most. */
function headerText(name, random) {
  const blocks = Math.min(1500, Math.ceil(2.6 / (random() + 0.0019)));
  const topic = `${pick(random, WORDS)}_${pick(random, WORDS)}`;
  const guard = `_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
  const lines = ['/* SPDX-License-Identifier: Apache-2.0 */', `#ifndef ${guard}`, `#define ${guard}`, ''];
  for (let n = 0; n < blocks; n += 1) lines.push(...pick(random, BLOCKS)(topic, random), '');
  lines.push(`#endif /* ${guard} */`, '');
  return lines.join('\n');
}

const BLOCKS = [
  function registers(topic, random) {
    return several(random, 8, () => {
      const value = Math.floor(random() * 2 ** 24).toString(16);
      const name = `${topic}_${pick(random, WORDS)}_${pick(random, WORDS)}`.toUpperCase();
      return `#define ${name.padEnd(32)} 0x${value.padStart(8, '0')}`;
    });
  },
  function structure(topic, random) {
    const field = () => `\t${pick(random, TYPES)} ${pick(random, WORDS)}_${pick(random, WORDS)};`;
    return [`struct ${topic}_${pick(random, WORDS)} {`, ...several(random, 7, field), '};'];
  },
  function accessor(topic, random) {
    const [field, verb] = [pick(random, WORDS), pick(random, WORDS)];
    return [
      `static inline ${pick(random, TYPES)} ${topic}_${verb}_${field}(struct ${topic} *${topic}, u32 ${field})`,
      '{',
      `\tif (!${topic}->${field} || ${field} >= ${Math.floor(random() * 4096)})`,
      '\t\treturn 0;',
      `\treturn ${topic}->${field} & ${topic.toUpperCase()}_${pick(random, WORDS).toUpperCase()}_MASK;`,
      '}',
    ];
  },
  function declarations(topic, random) {
    return several(random, 6, () => {
      const verb = `${pick(random, WORDS)}_${pick(random, WORDS)}`;
      return `extern int ${topic}_${verb}(struct ${topic} *${topic}, ${pick(random, TYPES)} ${pick(random, WORDS)});`;
    });
  },
];

function several(random, most, make) {
  return Array.from({ length: 2 + Math.floor(random() * most) }, make);
}

function pick(random, list) {
  return list[Math.floor(random() * list.length)];
}

/** Numbers from 0 to 1 that are the same for a seed: a linear congruential generator, its upper bits. */
function numbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

module.exports = { makeArchive, RELEASE };
