import { homePath } from '../app/open-home';
import type { LabSettings } from '../app/lab/lab-file';
import { serverPlace, serverVariables } from '../app/lab/lab-servers';
import { TIME_LIMITS } from '../core/limits';
import { serialOf, serversOf } from './flags/device-flags';
import { isDefault, LAB_FLAGS, type Parsed } from './settings';

/** Where the value of a setting comes from. */
export type SettingOrigin =
  | { kind: 'flag'; flag: string }
  | { kind: 'environment'; variable: string }
  | { kind: 'lab file'; path: string; key: string }
  | { kind: 'default' };

/** An adb server of the run. */
export interface ServerSetting {
  name: string;
  address: string;
  /** The most devices of it to work on at a time. */
  jobs?: number;
}

/** One setting as it counts now. `exclude` has an entry for each place that adds to it. */
export interface Setting {
  name: string;
  /** Lengths of time in milliseconds; of `devices`, null means all. Otherwise null: there is none. */
  value: string | number | boolean | string[] | ServerSetting[] | null;
  from: SettingOrigin;
}

/** Every setting of this run, and what it comes from. */
export interface Settings {
  /** The lab file that counts; null for none. */
  labFile: string | null;
  settings: Setting[];
}

/** What a command line, the environment and a lab file gave. */
export interface SettingSources {
  parsed: Parsed;
  /** The variable that stands for a flag. */
  variableOf: (flag: string) => string | undefined;
  lab: LabSettings | undefined;
  env: NodeJS.ProcessEnv;
}

/** @throws KhError USAGE, as `labServers` */
export function listSettings(sources: SettingSources): Settings {
  const { lab } = sources;
  return {
    labFile: lab?.path ?? null,
    settings: [
      { name: 'store', ...storeSetting(sources) },
      { name: 'lab', value: lab?.path ?? null, from: flagOrigin('lab', sources) },
      ...serverSettings(sources),
      devicesSetting(sources),
      ...excludeSettings(sources),
      ...flagSettings(sources),
      ...timeSettings(sources),
    ],
  };
}

const DEFAULT = { kind: 'default' } as const;

function storeSetting({ env }: SettingSources): Omit<Setting, 'name'> {
  const isGiven = env['KH_HOME'] !== undefined && env['KH_HOME'] !== '';
  return { value: homePath(env), from: isGiven ? { kind: 'environment', variable: 'KH_HOME' } : DEFAULT };
}

/** Where a flag has its value from, as far as flag and environment go. */
function flagOrigin(flag: string, { parsed, variableOf, env }: SettingSources): SettingOrigin {
  if (isDefault(parsed, flag)) return DEFAULT;
  const variable = variableOf(flag);
  const isTyped = parsed.raw.some((token) => token.type === 'flag' && token.flag === flag);
  if (isTyped || variable === undefined || !env[variable]) return { kind: 'flag', flag: `--${flag}` };
  return { kind: 'environment', variable };
}

function inLab({ lab }: SettingSources, key: string): SettingOrigin {
  return lab === undefined ? DEFAULT : { kind: 'lab file', path: lab.path, key };
}

function serverSettings(sources: SettingSources): Setting[] {
  const { parsed, env, lab } = sources;
  const { servers, origin } = serversOf(parsed.flags as Parameters<typeof serversOf>[0], env, lab);
  const [variable = ''] = serverVariables(env);
  const origins: Record<typeof origin, SettingOrigin> = {
    flags: { kind: 'flag', flag: parsed.flags['adb-host'] === undefined ? '--adb-port' : '--adb-host' },
    environment: { kind: 'environment', variable },
    'lab file': inLab(sources, 'servers'),
    default: DEFAULT,
  };
  const value = servers.map(({ name, address, jobs }) => ({
    name,
    address: serverPlace(address),
    ...(jobs === undefined ? {} : { jobs }),
  }));
  return [{ name: 'servers', value, from: origins[origin] }];
}

/** Of which devices a run is that names no others. */
function devicesSetting(sources: SettingSources): Setting {
  const { parsed, env, lab } = sources;
  const name = 'devices';
  const { serial } = parsed.flags;
  if (Array.isArray(serial))
    return { name, value: serial.map(String), from: { kind: 'flag', flag: '--serial' } };
  const named = parsed.flags['all'] === true ? [] : serialOf(env);
  if (named.length > 0)
    return { name, value: named, from: { kind: 'environment', variable: 'ANDROID_SERIAL' } };
  if (lab?.devices === undefined) return { name, value: null, from: DEFAULT };
  return { name, value: lab.devices, from: inLab(sources, 'devices') };
}

function excludeSettings(sources: SettingSources): Setting[] {
  const { exclude } = sources.parsed.flags;
  const flagged: Setting[] = Array.isArray(exclude)
    ? [{ name: 'exclude', value: exclude.map(String), from: { kind: 'flag', flag: '--exclude' } }]
    : [];
  const ofLab = sources.lab?.exclude;
  const labbed: Setting[] =
    ofLab === undefined ? [] : [{ name: 'exclude', value: ofLab, from: inLab(sources, 'exclude') }];
  const both = [...flagged, ...labbed];
  return both.length > 0 ? both : [{ name: 'exclude', value: [], from: DEFAULT }];
}

/** The flags that a lab file may set. */
function flagSettings(sources: SettingSources): Setting[] {
  const { parsed, lab } = sources;
  return Object.entries(LAB_FLAGS).map(([flag, { key, of, fallback }]) => {
    const value = (parsed.flags[flag] ?? fallback) as Setting['value'];
    const isOfLab = isDefault(parsed, flag) && lab !== undefined && of(lab) !== undefined;
    return { name: key, value, from: isOfLab ? inLab(sources, key) : flagOrigin(flag, sources) };
  });
}

/** The lengths of time that have no flag. */
function timeSettings(sources: SettingSources): Setting[] {
  return (['connect', 'stall', 'settle', 'restart'] as const).map((time) => {
    const key = `timeouts.${time}`;
    const given = sources.lab?.times[time];
    const from = given === undefined ? DEFAULT : inLab(sources, key);
    return { name: key, value: given ?? TIME_LIMITS[time], from };
  });
}
