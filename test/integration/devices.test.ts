import type { ListedDevice } from '../../src/adb/device-list';
import { STATES } from '../../src/simulator/lab/lab-description';
import { kh } from '../support/kh';
import { cuttlefish, modulePhone, pixel, startLab } from '../support/lab';
import { pull, resultOf } from '../support/pull';

interface Entry extends ListedDevice {
  release?: string;
  headers?: { status: string };
  workspace?: { state: string; path?: string };
  error?: { code: string };
}

function entriesOf(document: unknown): Entry[] {
  return (document as { devices: Entry[] }).devices;
}

describe('kh devices', () => {
  it('lists a device in every state that adb knows, and asks only those that answer', async () => {
    const lab = await startLab({
      devices: STATES.map((state) => pixel({ serial: state.replace(' ', '-'), state })),
    });
    const run = await kh(['devices', '--json'], { lab });
    expect(run).toExitWith(0);
    const entries = entriesOf(run.json());
    expect(entries.map(({ state }) => state)).toEqual([...STATES]);
    const answered = entries.filter(({ release }) => release !== undefined);
    expect(answered.map(({ state }) => state)).toEqual(['device', 'recovery']);
    const table = await kh(['devices'], { lab });
    expect(table).toExitWith(0);
    expect(table.stdout.trimEnd().split('\n')).toHaveLength(STATES.length + 1);
    for (const state of STATES) expect(table.stdout).toContain(` ${state} `);
  });

  it('tells where the headers are, and changes nothing on any device', async () => {
    const lab = await startLab({
      devices: [
        pixel(),
        modulePhone(),
        modulePhone({ serial: 'LOADED', headers: { kind: 'module', loaded: true } }),
        pixel({ serial: 'DENIED', headers: { kind: 'denied' }, adbRoot: 'allowed' }),
        cuttlefish({ headers: { kind: 'absent' } }),
      ],
    });
    const run = await kh(['devices', '--json'], { lab });
    expect(run).toExitWith(0);
    expect(entriesOf(run.json()).map(({ serial, headers }) => [serial, headers?.status])).toEqual([
      ['PIXEL', 'built-in'],
      ['MODULE', 'module'],
      ['LOADED', 'module-loaded'],
      ['DENIED', 'denied'],
      ['CUTTLEFISH', 'absent'],
    ]);
    for (const { counters } of lab.devices) {
      expect(counters.services).not.toHaveProperty('root');
      expect(counters.modulesUnloaded).toBe(0);
    }
    expect(lab.device('MODULE').modules()).toEqual([]);
  });

  it('knows which workspaces are current', async () => {
    const lab = await startLab({ devices: [pixel(), cuttlefish()] });
    const pulled = await pull(lab, ['-s', 'PIXEL']);
    const run = await kh(['devices', '--json'], { lab, home: pulled.home });
    expect(entriesOf(run.json()).map(({ workspace }) => workspace)).toMatchObject([
      { state: 'current', path: resultOf(pulled).workspace },
      { state: 'none' },
    ]);
  });

  it('needs no home that it could write to, and makes none', async () => {
    const home = '/proc/self/home';
    const lab = await startLab({ devices: [pixel()] });
    const run = await kh(['devices'], { lab, home });
    expect(run).toExitWith(0);
    expect(run.stdout).toContain('PIXEL');
    expect(await kh(['workspace', 'list', '--json'], { home })).toExitWith(0);
  });

  it('is an empty list, and no failure, where nothing is attached', async () => {
    const lab = await startLab({ devices: [pixel()] });
    lab.device('PIXEL').unplug();
    const run = await kh(['devices', '--json'], { lab });
    expect(run).toExitWith(0);
    expect(entriesOf(run.json())).toEqual([]);
  });
});

describe('kh pull from a device that is not ready yet', () => {
  it.each(['offline', 'connecting', 'authorizing', 'unauthorized'] as const)(
    'waits while it is %s for a moment',
    async (state) => {
      const lab = await startLab({ devices: [pixel({ state, readyAfterMs: 1_200 })] });
      const run = await pull(lab);
      expect(run).toExitWith(0);
    },
  );
});
