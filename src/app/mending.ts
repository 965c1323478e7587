import { shellQuote } from '../device/shell-quote';
import type { WorkspaceRecord } from '../store/workspaces';
import { NO_DEVICE } from './import-record';

/** The command that made a workspace, and makes it anew: a pull, or an import of what is on this machine. */
export function mendingOf({ device, headers, kernelBuild }: WorkspaceRecord): string {
  if (headers.origin !== 'file' && headers.origin !== 'image') return PULL;
  const pack = kernelBuild === undefined ? [] : ['--from-pack'];
  const from = [...(headers.origin === 'image' ? ['--from-carve'] : pack), headers.path];
  const whose = device.name === NO_DEVICE ? [] : ['--device', device.serialno || device.name];
  return ['kh', 'import', ...from, ...whose, '--force'].map(shellQuote).join(' ');
}

/** For headers of which nothing tells where they came from. */
export const PULL = 'kh pull --force';
