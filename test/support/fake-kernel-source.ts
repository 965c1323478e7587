import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A few files with a Makefile that behaves as a kernel's does towards its preparation and towards modules. */
export interface FakeSource {
  tree: string;
  /** Holds commands that answer as the tools do that a preparation needs; for the PATH. */
  bin: string;
}

export interface FakeSourceOptions {
  version?: string;
  /** Options that this Kconfig forces, whatever it is given: `SMP=n`. */
  forced?: string[];
  /** What this source measures, as in asm-offsets.h. */
  offsets?: string;
  files?: Record<string, string>;
}

/** Makes a source of arm64 6.1.75, unless `options` say otherwise, below `root`. */
export async function fakeKernelSource(root: string, options: FakeSourceOptions = {}): Promise<FakeSource> {
  const tree = join(root, 'linux');
  const [major = '', minor = '', patch = ''] = (options.version ?? '6.1.75').split('.');
  const files: Record<string, string> = {
    Makefile: `VERSION = ${major}\nPATCHLEVEL = ${minor}\nSUBLEVEL = ${patch}\n${MAKEFILE}`,
    Kconfig: (options.forced ?? []).map((line) => `${line}\n`).join(''),
    MAINTAINERS: '',
    'include/linux/kconfig.h': '/* about */\n#define KCONFIG 1\n',
    'include/linux/own.h': '/* of the source alone */\n',
    'arch/arm64/include/asm/page.h': '/* about\n * pages */\n#define PAGE 1\n',
    'arch/arm64/kernel/asm-offsets.h': options.offsets ?? '#define TSK_STACK_CANARY 1104 /* bytes */\n',
    'drivers/gpu/secret.h': '',
    'kernel/bounds.c': '',
    'scripts/mod/modpost.c': '',
    ...options.files,
  };
  await writeFiles(tree, files);
  const bin = join(root, 'bin');
  for (const name of ['flex', 'bison', 'bc', 'perl']) await command(bin, name, 'exit 0');
  for (const name of ['gcc', 'clang-16'])
    await command(bin, name, `case "$*" in *-dM*) echo '${CLANG_16}' ;; *) echo 'fake clang 16' ;; esac`);
  await command(bin, 'ld.lld-16', 'echo fake LLD');
  return { tree, bin };
}

async function writeFiles(root: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
}

async function command(folder: string, name: string, script: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
}

const CLANG_16 = '#define __clang_major__ 16\n#define __clang_minor__ 0\n#define __clang_patchlevel__ 6';

/**
 * allnoconfig takes what KCONFIG_ALLCONFIG names, with what Kconfig forces
 * behind it; BASE_SMALL is a number, as Kconfig finds. syncconfig makes an
 * autoconf.h of it. modules_prepare refuses a source that was built in, counts
 * its runs in KDIR/prepared, and writes what its own release would be.
 */
const MAKEFILE = `
.NOTPARALLEL:
src := $(if $(filter /%,$(firstword $(MAKEFILE_LIST))),$(patsubst %/,%,$(dir $(firstword $(MAKEFILE_LIST)))),$(CURDIR))
out := $(or $(O),$(CURDIR))

allnoconfig:
	@mkdir -p $(out)
	@sed 's/^CONFIG_BASE_SMALL=y$$/CONFIG_BASE_SMALL=0/' $(KCONFIG_ALLCONFIG) >$(out)/.config
	@sed 's/^/CONFIG_/' $(src)/Kconfig >>$(out)/.config

syncconfig:
	@mkdir -p $(out)/include/generated $(out)/include/config
	@awk -F= '/^CONFIG_/ { if (!($$1 in v)) names[++n] = $$1; v[$$1] = $$2 } \\
	  END { for (i = 1; i <= n; i++) { k = names[i]; \\
	    if (v[k] == "m") print "#define " k "_MODULE 1"; \\
	    else if (v[k] != "n") print "#define " k " " (v[k] == "y" ? 1 : v[k]) } }' \\
	  $(out)/.config >$(out)/include/generated/autoconf.h
	@grep '^CONFIG_' $(out)/.config | grep -v '=n$$' >$(out)/include/config/auto.conf

modules_prepare:
	@test ! -e $(src)/.config -a ! -d $(src)/include/config || { echo "error: The source tree is not clean" >&2; exit 1; }
	@! grep -q broken $(src)/kernel/bounds.c || { echo "bounds.c:1:1: error: broken" >&2; exit 1; }
	@echo 'CC=$(CC) ARCH=$(ARCH)' >>$(out)/prepared
	@cp $(src)/arch/arm64/kernel/asm-offsets.h $(out)/include/generated/asm-offsets.h
	@echo '#define UTS_RELEASE "$(VERSION).$(PATCHLEVEL).$(SUBLEVEL)-mine"' >$(out)/include/generated/utsrelease.h
	@echo $(VERSION).$(PATCHLEVEL).$(SUBLEVEL)-mine >$(out)/include/config/kernel.release

modules:
	@echo 'M=$(M) CC=$(CC) from $(src) in $(CURDIR)'
`;
