import { listSettings, type Setting, type SettingSources } from '../../../src/cli/list-settings';
import { withLab, type Parsed } from '../../../src/cli/settings';
import { settingsTable } from '../../../src/cli/text/settings';
import { palette } from '../../../src/ui/colour';

const LAB = {
  path: '/lab/kh.lab.json',
  jobs: 3,
  privilege: 'su' as const,
  requireManifest: true,
  exclude: ['MINE'],
  times: { device: 60_000, stall: 1_000 },
};

/** As oclif gives them: with defaults, and what was typed. */
function parsed(flags: Record<string, unknown>, typed: string[] = []): Parsed {
  const defaults = { jobs: 8, privilege: 'auto' };
  const metadata = Object.keys(defaults).filter((flag) => !(flag in flags));
  return {
    flags: { ...defaults, ...flags },
    metadata: { flags: Object.fromEntries(metadata.map((flag) => [flag, { setFromDefault: true }])) },
    raw: typed.map((flag) => ({ type: 'flag', flag })),
  };
}

const KNOWN = { jobs: {}, timeout: {}, privilege: {}, 'require-manifest': {}, manifest: {} };

describe('withLab', () => {
  it('puts in what nobody gave', () => {
    expect(withLab(parsed({}), LAB, KNOWN).flags).toEqual({
      jobs: 3,
      privilege: 'su',
      'require-manifest': true,
      timeout: 60_000,
    });
  });

  it('leaves what was given, be it the very default or false', () => {
    const given = parsed({ jobs: 8, 'require-manifest': false }, ['jobs', 'require-manifest']);
    expect(withLab(given, LAB, KNOWN).flags).toMatchObject({ jobs: 8, 'require-manifest': false });
  });

  it('gives a command no flags that it does not have', () => {
    expect(withLab(parsed({}), LAB, { jobs: {} }).flags).toEqual({ jobs: 3, privilege: 'auto' });
  });

  it('changes nothing without a lab file', () => {
    const before = parsed({});
    expect(withLab(before, undefined, KNOWN)).toBe(before);
  });
});

describe('listSettings', () => {
  const list = (sources: Partial<SettingSources>): Setting[] =>
    listSettings({ parsed: parsed({}), variableOf: () => undefined, lab: undefined, env: {}, ...sources })
      .settings;
  const named = (settings: Setting[], name: string) => settings.filter((setting) => setting.name === name);

  it('has every exclusion with its own source, as they add up', () => {
    const settings = list({ parsed: parsed({ exclude: ['A'] }, ['exclude']), lab: LAB });
    expect(named(settings, 'exclude')).toEqual([
      { name: 'exclude', value: ['A'], from: { kind: 'flag', flag: '--exclude' } },
      { name: 'exclude', value: ['MINE'], from: { kind: 'lab file', path: LAB.path, key: 'exclude' } },
    ]);
  });

  it.each([
    [{ flags: { serial: ['A'] }, env: { ANDROID_SERIAL: 'B' } }, ['A'], 'flag'],
    [{ flags: {}, env: { ANDROID_SERIAL: 'B' } }, ['B'], 'environment'],
    [{ flags: { all: true }, env: { ANDROID_SERIAL: 'B' } }, null, 'default'],
    [{ flags: {}, env: {} }, null, 'default'],
  ])('knows which devices %j means', ({ flags, env }, value, kind) => {
    const [devices] = named(list({ parsed: parsed(flags), env }), 'devices');
    expect(devices).toMatchObject({ value, from: { kind } });
  });

  it('tells a flag that was typed from the variable that stands for it', () => {
    const variableOf = (flag: string) => (flag === 'jobs' ? 'KH_JOBS' : undefined);
    const env = { KH_JOBS: '5' };
    const [ofVariable] = named(list({ parsed: parsed({ jobs: 5 }), variableOf, env }), 'jobs');
    expect(ofVariable?.from).toEqual({ kind: 'environment', variable: 'KH_JOBS' });
    const [typed] = named(list({ parsed: parsed({ jobs: 5 }, ['jobs']), variableOf, env }), 'jobs');
    expect(typed?.from).toEqual({ kind: 'flag', flag: '--jobs' });
  });

  it('knows the lengths of time that no flag sets', () => {
    const settings = list({ lab: LAB });
    expect(named(settings, 'timeouts.stall')[0]).toMatchObject({ value: 1_000, from: { kind: 'lab file' } });
    expect(named(settings, 'timeouts.connect')[0]).toMatchObject({ value: 5_000, from: { kind: 'default' } });
    expect(named(list({}), 'timeouts.device')[0]).toMatchObject({ value: 600_000 });
  });
});

describe('the table of settings', () => {
  it('shows values as people write them', () => {
    const from = { kind: 'default' } as const;
    const servers = [
      { name: 'rack1', address: 'r1:5037', jobs: 2 },
      { name: 'r2:1', address: 'r2:1' },
    ];
    const text = settingsTable(
      [
        {
          name: 'servers',
          value: servers,
          from: { kind: 'lab file', path: '/lab/kh.lab.json', key: 'servers' },
        },
        { name: 'devices', value: null, from },
        { name: 'exclude', value: [], from },
        {
          name: 'requireManifest',
          value: true,
          from: { kind: 'environment', variable: 'KH_REQUIRE_MANIFEST' },
        },
        { name: 'timeouts.stall', value: 1_500, from },
      ],
      palette(false),
    );
    expect(text.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['SETTING', 'VALUE', 'FROM'],
      ['servers', 'rack1 (r1:5037) 2 at a time, r2:1', '/lab/kh.lab.json: servers'],
      ['devices', 'all', 'default'],
      ['exclude', 'none', 'default'],
      ['requireManifest', 'yes', '$KH_REQUIRE_MANIFEST'],
      ['timeouts.stall', '1.5 s', 'default'],
      [''],
    ]);
  });
});
