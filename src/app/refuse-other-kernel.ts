import { KhError } from '../core/errors';
import { bounds } from '../device/bounds';
import { askMd5 } from '../device/headers-source';
import { probeDevice } from '../device/probe';
import type { Workspace } from '../store/workspaces';
import type { AttachedDevice, Context } from './context';

/**
 * Stops where a device runs another kernel than a workspace is of: another
 * release, another build of it (`uname -v`), or one with another headers
 * archive, as far as plain rights let that be seen.
 *
 * @throws KhError BUILD_OTHER_KERNEL, and as `AdbDevice.run`
 */
export async function refuseOtherKernel(
  { adb }: AttachedDevice,
  { path, record }: Workspace,
  context: Context,
): Promise<void> {
  const access = { adb, privilege: 'plain', root: false } as const;
  const { kernel, archive } = await probeDevice(access, bounds(context));
  const refuse = (runs: string, is: string) => {
    throw new KhError('BUILD_OTHER_KERNEL', {
      serial: adb.serial,
      message: `the device runs ${runs}, and the workspace is of ${is}`,
      hint: 'Leave out --kernel and --workspace: kh then builds for what the device runs.',
      details: { workspace: path, runs: kernel.release, runsVersion: kernel.version },
    });
  };
  const { release, version } = record.kernel;
  if (kernel.release !== release) refuse(kernel.release, release);
  if (version !== '' && kernel.version !== version)
    refuse(`${release} ${kernel.version}`, `another build, ${version}`);
  if (archive?.state !== 'readable') return;
  const md5 = await askMd5(access, archive.path, bounds(context, `asking for the md5 of ${archive.path}`));
  if (md5 === undefined || md5 === record.archive.md5) return;
  refuse(
    `${release} with the headers archive ${md5}`,
    `a build of that name with another, ${record.archive.md5}`,
  );
}
