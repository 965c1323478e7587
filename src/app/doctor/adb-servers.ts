import { KhError } from '../../core/errors';
import { runTool } from '../../kbuild/toolchain/run-tool';
import type { LabServer } from '../lab/lab-servers';
import { reachLab, type Lab, type ServerReport } from '../lab/reach-lab';
import { findings, type DoctorFinding } from './finding';

export interface SeenServers {
  /** Undefined where no server is reached. */
  lab: Lab | undefined;
  findings: DoctorFinding[];
}

/** Asks every adb server what is attached, and starts none. */
export async function lookAtServers(
  servers: readonly LabServer[],
  { signal, timeout }: { signal: AbortSignal; timeout: number },
): Promise<SeenServers> {
  const [client, seen] = await Promise.all([clientVersion(signal), reached(servers, signal, timeout)]);
  const { lab, failures } = seen;
  const told = lab?.servers ?? [];
  const good = told.filter(({ state }) => state === 'ok').map((server) => serverFinding(server, client));
  const bad = failures.map(({ name, startable, error }) => lostFinding(name, error, startable, client));
  return { lab, findings: [clientFinding(client, servers), ...good, ...bad] };
}

type Failure = Pick<LabServer, 'name' | 'startable'> & { error: KhError };

async function reached(
  servers: readonly LabServer[],
  signal: AbortSignal,
  timeout: number,
): Promise<{ lab: Lab | undefined; failures: Failure[] }> {
  const asked = servers.map((server) => ({ ...server, startable: false }));
  const startable = (name: string) => servers.find((server) => server.name === name)?.startable ?? false;
  try {
    const lab = await reachLab(asked, { signal, emit: () => undefined, timeout });
    const failures = lab.lost.map(({ name, error }) => ({ name, error, startable: startable(name) }));
    return { lab, failures };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof KhError)) throw error;
    const [only] = servers;
    const name = servers.length === 1 && only !== undefined ? only.name : 'all servers';
    return { lab: undefined, failures: [{ name, error, startable: startable(name) }] };
  }
}

/** The N of adb's version 1.0.N; undefined where there is no adb. */
async function clientVersion(signal: AbortSignal): Promise<number | undefined> {
  const { status, output } = await runTool(['adb'], ['version'], signal);
  const version = /\bversion 1\.0\.(\d+)/.exec(output)?.[1];
  return status === 0 && version !== undefined ? Number(version) : undefined;
}

function clientFinding(client: number | undefined, servers: readonly LabServer[]): DoctorFinding {
  const { ok, note } = findings('adb', 'adb');
  if (client !== undefined) return ok(`adb 1.0.${client} is on the PATH`);
  const elsewhere = servers.every(({ startable }) => !startable);
  return note(
    `no adb is on the PATH: kh speaks to adb servers by itself${elsewhere ? '' : ', but can start none'}`,
    INSTALL,
  );
}

const INSTALL = 'install the Android SDK platform tools (package adb)';

function serverFinding(
  { name, version, devices = 0 }: ServerReport,
  client: number | undefined,
): DoctorFinding {
  const { ok, warning } = findings('adb', name);
  const text = `the adb server is 1.0.${version ?? '?'}, with ${devices} ${devices === 1 ? 'device' : 'devices'}`;
  if (client === undefined || version === undefined || client === version) return ok(text);
  return warning(
    `${text}; adb on the PATH is 1.0.${client}: whichever adb command runs next restarts the server, and devices are lost on the way`,
    'use one version of the platform tools for both',
  );
}

function lostFinding(
  name: string,
  error: KhError,
  startable: boolean,
  client: number | undefined,
): DoctorFinding {
  const about = findings('adb', name);
  const silent = error.code === 'ADB_UNAVAILABLE' && error.details?.['errno'] !== undefined;
  if (!startable || !silent) return about.failed(error);
  if (client !== undefined)
    return about.note('no adb server runs: kh starts one when it needs it', 'adb start-server');
  return about.error('ADB_MISSING', 'no adb server runs, and no adb is here to start one', INSTALL);
}
