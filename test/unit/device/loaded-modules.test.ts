import fc from 'fast-check';
import { askModuleState, moduleNameOf, parseLoadedModules } from '../../../src/device/loaded-modules';
import { fakeDevice } from './support/fake-device';

const MODULES = [
  'ext4 913408 1 - Live 0x0000000000000000',
  'jbd2 159744 1 ext4, Live 0x0000000000000000',
  'crc16 12288 2 ext4,jbd2, Live 0x0000000000000000 (OE)',
  'stuck 16384 1 [permanent], Live 0x0000000000000000',
  'both 16384 3 jbd2,[permanent], Loading 0x0000000000000000',
  'old 16384 - - Live 0x0000000000000000',
].join('\n');

describe('parseLoadedModules', () => {
  it('tells users, reference counts, permanence and states', () => {
    const rows = parseLoadedModules(MODULES);
    expect(rows.map(({ name }) => name)).toEqual(['ext4', 'jbd2', 'crc16', 'stuck', 'both', 'old']);
    expect(rows[2]).toEqual({
      name: 'crc16',
      bytes: 12288,
      references: 2,
      users: ['ext4', 'jbd2'],
      permanent: false,
      state: 'Live',
    });
    expect(rows[3]).toMatchObject({ users: [], permanent: true });
    expect(rows[4]).toMatchObject({ users: ['jbd2'], permanent: true, references: 3, state: 'Loading' });
    expect(rows[5]).toMatchObject({ references: undefined });
  });

  it('leaves out lines that are no module, whatever they hold', () => {
    expect(parseLoadedModules('cat: /proc/modules: Permission denied\n\nname\n../x 1 0 - Live 0x0')).toEqual(
      [],
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const { name } of parseLoadedModules(text)) expect(name).toMatch(/^\w{1,55}$/);
      }),
    );
  });
});

it.each([
  ['hello', 'hello'],
  ['out/foo-bar.ko', 'foo_bar'],
  ['/tmp/a-b/c.ko', 'c'],
])('moduleNameOf takes %j for %s', (text, name) => {
  expect(moduleNameOf(text)).toBe(name);
});

describe('askModuleState', () => {
  const ask = (modules: string, known: string) =>
    askModuleState(
      {
        adb: fakeDevice({
          answers: [
            [/id -u/, '0'],
            [/proc\/modules/, modules],
            [/sys\/module\/crc16/, known],
          ],
        }),
        privilege: 'plain',
        root: false,
      },
      'crc16',
      { signal: new AbortController().signal },
    );

  it('tells a loaded module from one that is built in', async () => {
    expect(await ask(MODULES, 'yes')).toMatchObject({ root: true, builtIn: false });
    expect(await ask('', 'yes')).toMatchObject({ loaded: [], builtIn: true });
    expect(await ask('', '')).toMatchObject({ builtIn: false });
  });
});
