import type { LabSettings } from '../app/lab/lab-file';
import { TIME_LIMITS } from '../core/limits';

interface LabFlag {
  /** The place in a lab file. */
  key: string;
  of: (lab: LabSettings) => string | number | boolean | string[] | undefined;
  /** What counts where nobody gives anything, and the flag has no default of its own. */
  fallback: number | boolean | null;
}

/** The flags that a lab file may set. */
export const LAB_FLAGS: Record<string, LabFlag> = {
  jobs: { key: 'jobs', of: ({ jobs }) => jobs, fallback: null },
  timeout: { key: 'timeouts.device', of: ({ times }) => times.device, fallback: TIME_LIMITS.device },
  manifest: { key: 'manifest', of: ({ manifest }) => manifest, fallback: null },
  'require-manifest': { key: 'requireManifest', of: (lab) => lab.requireManifest, fallback: false },
  'trusted-key': { key: 'trustedKeys', of: (lab) => lab.trustedKeys, fallback: null },
  privilege: { key: 'privilege', of: ({ privilege }) => privilege, fallback: null },
};

/** As far as it matters here, what oclif's parser gives. */
export interface Parsed {
  flags: Record<string, unknown>;
  metadata: { flags: Partial<Record<string, { setFromDefault?: boolean }>> };
  /** The words of the command line. */
  raw: { type: string; flag?: string }[];
}

/** Whether the flag has a value that nobody gave: neither the command line nor the environment. */
export function isDefault({ flags, metadata }: Parsed, flag: string): boolean {
  return flags[flag] === undefined || metadata.flags[flag]?.setFromDefault === true;
}

/** What was parsed, with the values of the lab file for those flags of the command that nobody gave. */
export function withLab<P extends Parsed>(parsed: P, lab: LabSettings | undefined, known: object): P {
  if (lab === undefined) return parsed;
  const values = Object.entries(LAB_FLAGS).flatMap(([flag, { of }]) => {
    const value = of(lab);
    const applies = value !== undefined && flag in known && isDefault(parsed, flag);
    return applies ? [[flag, value] as const] : [];
  });
  return { ...parsed, flags: { ...parsed.flags, ...Object.fromEntries(values) } };
}
