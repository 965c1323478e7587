import type { LabSettings } from '../app/lab/lab-file';

/** The flags that a lab file may set, and where in it. */
export const LAB_FLAGS = {
  jobs: { key: 'jobs', of: ({ jobs }: LabSettings) => jobs },
  timeout: { key: 'timeouts.device', of: ({ times }: LabSettings) => times.device },
  manifest: { key: 'manifest', of: ({ manifest }: LabSettings) => manifest },
  'require-manifest': { key: 'requireManifest', of: ({ requireManifest }: LabSettings) => requireManifest },
  privilege: { key: 'privilege', of: ({ privilege }: LabSettings) => privilege },
};

/** As far as it matters here, what oclif's parser gives. */
interface Parsed {
  flags: Record<string, unknown>;
  metadata: { flags: Partial<Record<string, { setFromDefault?: boolean }>> };
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
