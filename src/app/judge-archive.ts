import { inspectHeaders } from '../archive/headers-tree';
import type { ReceivedArchive } from '../archive/receive-archive';
import type { Emit, Verdict } from '../core/events';
import type { Kernel } from '../device/probe';
import type { ArchiveFacts } from '../store/archives';
import type { Stage } from '../store/stage';
import { checkManifest, type ManifestRule } from './open-manifest';

/**
 * What is left to judge once the bytes are known to be the right ones: the archive itself.
 *
 * @param inspect what an archive of its kind has to hold
 * @throws KhError ARCHIVE_*, STORE_*
 */
export async function inspectReceived(
  stage: Stage,
  received: ReceivedArchive,
  inspect: (treePath: string) => Promise<{ release: string }> = inspectHeaders,
): Promise<ArchiveFacts> {
  const { unpacked, md5, sha256, bytes } = received;
  if (!unpacked.ok) throw unpacked.error;
  const { release } = await inspect(stage.treePath);
  const { entries, bytes: treeBytes, danglingLinks } = unpacked.tree;
  return { md5, sha256, bytes, release, entries, treeBytes, danglingLinks };
}

/** Says so where links in an archive lead nowhere. */
export function warnOfDanglingLinks(
  { danglingLinks: links }: ArchiveFacts,
  emit: Emit,
  serial?: string,
): void {
  if (links.length === 0) return;
  const rest = links.length > 3 ? ` and ${links.length - 3} more` : '';
  const message = `links in the archive lead nowhere: ${links.slice(0, 3).join(', ')}${rest}; what includes them will not compile`;
  emit({ type: 'warning', message, ...(serial === undefined ? {} : { serial }) });
}

/**
 * The verdict on an archive that passed `checks`.
 *
 * @param warn as `checkManifest`
 * @throws KhError as `checkManifest`
 */
export function judge(
  checks: Verdict['checks'],
  digests: { md5: string; sha256: string },
  kernel: Kernel,
  rule: ManifestRule,
  warn: (message: string) => void,
): Verdict {
  const checked = checkManifest(rule, kernel, digests, { warn });
  if (checked === undefined) return { trust: 'unverified', checks };
  return { trust: 'trusted', checks: [...checks, 'manifest'], manifest: checked };
}
