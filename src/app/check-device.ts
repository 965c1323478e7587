import { createHash } from 'node:crypto';
import type { Digests } from '../archive/manifest';
import { bounds } from '../device/bounds';
import { askSha256, type HeadersSource } from '../device/headers-source';
import type { PrivilegeChoice } from '../device/privilege';
import { probeDevice } from '../device/probe';
import type { AttachedDevice, Context } from './context';
import { nameDevice } from './name-device';
import { checkManifest, type ManifestRule } from './open-manifest';
import { locateArchive } from './pull-headers';

/** What a manifest says of the archive that a device carries. */
export interface DeviceCheck extends Digests {
  release: string;
  /** `uname -v` */
  version: string;
  /** `unlisted`: no entry vouches for it, be it that there is none or that it has expired. */
  status: 'trusted' | 'unlisted';
}

/**
 * Checks the archive of an attached device against a manifest, and keeps
 * nothing of it. The digests are those that the device gives; where it cannot
 * compute them, the archive is read.
 *
 * @throws KhError VERIFY_* as a pull with that manifest; HEADERS_*, DEVICE_LOST, TIMEOUT; or the signal's reason
 */
export async function checkDevice(
  device: AttachedDevice,
  rule: ManifestRule,
  options: { privilege: PrivilegeChoice },
  context: Context,
): Promise<DeviceCheck> {
  const { serial } = device.listed;
  const probe = await probeDevice({ adb: device.adb, privilege: 'plain', root: false }, bounds(context));
  const { release, version } = probe.kernel;
  const name = await nameDevice(device, probe, context);
  await using source = await locateArchive(device, name, probe, options, context);
  const digests = (await askDigests(source, context)) ?? (await readDigests(source, context));
  const warn = (message: string) => context.emit({ type: 'warning', serial, message });
  const checked = checkManifest(rule, probe.kernel, digests, { warn });
  return { release, version, ...digests, status: checked === undefined ? 'unlisted' : 'trusted' };
}

async function askDigests(source: HeadersSource, context: Context): Promise<Digests | undefined> {
  const { access, path } = source;
  const [md5, sha256] = await Promise.all([
    source.deviceMd5(),
    askSha256(access, path, bounds(context, `asking for the sha256 of ${path}`)),
  ]);
  return md5 === undefined || sha256 === undefined ? undefined : { md5, sha256 };
}

async function readDigests(source: HeadersSource, context: Context): Promise<Digests> {
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  for await (const chunk of source.read(bounds(context, `reading ${source.path}`))) {
    md5.update(chunk);
    sha256.update(chunk);
  }
  return { md5: md5.digest('hex'), sha256: sha256.digest('hex') };
}
