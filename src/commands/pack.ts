import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Documents } from '../cli/documents';
import { expiresFlag, proseFlag } from '../cli/flags/manifest-file';
import { KhCommand } from '../cli/kh-command';
import { prose } from '../cli/prose';
import { packedText } from '../cli/text/packed';

export default class Pack extends KhCommand {
  static override progress = true;
  static override summary = 'Make the headers archive of a kernel build.';
  static override description = prose`
Writes kheaders.tar.xz as the generator of that kernel's own build does, and kheaders.md5 in the
form that it has there. Takes a build in its source, one with O=, or a distribution's header
packages; the kernel needs no CONFIG_IKHEADERS.

With KBUILD_BUILD_TIMESTAMP or SOURCE_DATE_EPOCH, the same headers give the same bytes. Where
nothing changed since the last time, nothing is packed. Prints the path of the archive.

With --full, kernel-build.tar.xz goes beside it: .config, Module.symvers and the kernel's own build
files. \`kh import --from-pack\` takes both, and modules build without a device.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> ~/build/linux -o out',
    '<%= config.bin %> <%= command.id %> /usr/src/linux-headers-6.1.0-28-arm64 --manifest lab.json',
    '<%= config.bin %> <%= command.id %> ~/build/linux -o out --full',
    'SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) <%= config.bin %> <%= command.id %> .',
  ];
  static override args = {
    DIR: Args.string({ description: 'The folder of the kernel build.', required: true }),
  };
  static override flags = {
    output: Flags.string({
      char: 'o',
      summary: 'The folder to write to; made where there is none.',
      default: '.',
      helpValue: 'FOLDER',
    }),
    source: Flags.string({
      summary: "The kernel's source, where the build does not say where it is.",
      helpValue: 'FOLDER',
    }),
    arch: Flags.string({
      summary: 'The processor, where the build does not say: arm64, x86, as the folders in arch/ are named.',
      helpValue: 'NAME',
    }),
    timestamp: Flags.string({
      summary: 'The time of all members, as date(1) reads it, or @SECONDS.',
      env: 'KBUILD_BUILD_TIMESTAMP',
      helpValue: 'TIME',
    }),
    parallel: Flags.boolean({
      summary: "Compress on all processors: the same contents, but not the bytes of a kernel's own build.",
      exclusive: ['manifest'],
    }),
    force: Flags.boolean({ summary: 'Pack also where nothing changed.' }),
    full: Flags.boolean({
      summary: 'Also pack what module builds take beyond headers, as kernel-build.tar.xz.',
    }),
    manifest: Flags.string({
      summary: "The lab's manifest to add the archive to; made where there is none.",
      helpValue: 'FILE',
    }),
    note: proseFlag({
      summary: 'Why it is trusted, for those who read the manifest.',
      dependsOn: ['manifest'],
    }),
    expires: {
      ...expiresFlag('Until when the entry in the manifest counts; for ever when left out.'),
      dependsOn: ['manifest'],
    },
  };

  async run(): Promise<Documents['pack']> {
    const { args, flags } = await this.parse(Pack);
    const { packHeaders } = await import('../app/pack-headers');
    const { ARCHIVE_LIMITS: limits } = await import('../core/limits');
    const epoch = process.env['SOURCE_DATE_EPOCH'];
    const options = { ...flags, ...(epoch === undefined ? {} : { epoch }) };
    const work = await this.work(flags);
    const openStore = async () => (await import('../app/open-home')).openHome(process.env, work.signal);
    const result = await packHeaders(args.DIR, options, { ...work, limits, openStore });
    return this.done({ result }, packedText(result));
  }
}
