import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KhError } from '../../../src/core/errors';
import { CONTENT_FAULTS, FAULT_POINTS, WIRE_FAULTS } from '../../../src/simulator/faults';
import { MODULE_ERRORS, STATES } from '../../../src/simulator/lab/lab-description';
import { expandClones, readLab } from '../../../src/simulator/lab/read-lab';
import { validateLab } from '../../../src/simulator/lab/validate-lab';
import { builtInLab, runSimulator } from '../../../src/simulator/run-simulator';
import { startSimulator, type Simulator } from '../../../src/simulator/simulator';
import { startLab } from '../../support/lab';
import { ask, shell } from './support/adb-client';

const device = (more: object) => ({ devices: [{ serial: 'A', ...more }] });

describe('validateLab', () => {
  it.each([
    [[], 'it must be an object, not a list'],
    [{}, 'devices is missing'],
    [{ devices: {} }, 'devices must be a list, not an object'],
    [{ devices: [{}] }, 'devices[0].serial is missing'],
    [{ devices: [{ serial: '' }] }, 'devices[0].serial must not be empty'],
    [{ version: 2, devices: [] }, 'version must be one of 1, not 2'],
    [{ devices: [{ serial: 'A' }, { serial: 'A' }] }, 'devices[1].serial is that of devices[0]: "A"'],
    [
      device({ colour: 'red' }),
      'devices[0] has a field "colour" that is not known; known are serial, count,',
    ],
    [device({ state: 'asleep' }), 'devices[0].state must be one of "device", "offline",'],
    [device({ speed: 0 }), 'devices[0].speed must be a whole number of 1 or more, not 0'],
    [device({ sdk: 34.5 }), 'devices[0].sdk must be a whole number from 1 to 1000, not 34.5'],
    [device({ md5sum: 'no' }), 'devices[0].md5sum must be true or false, not "no"'],
    [device({ kernel: { release: 6 } }), 'devices[0].kernel.release must be text, not 6'],
    [device({ headers: {} }), 'devices[0].headers.kind must be one of "built-in", "denied",'],
    [device({ headers: { kind: 'absent', archive: 'x' } }), 'devices[0].headers has a field "archive"'],
    [
      device({ headers: { kind: 'module', file: 'x.ko' } }),
      'devices[0].headers.file must be an absolute path',
    ],
    [
      device({ headers: { kind: 'built-in', archive: { sample: { extraHeaders: -1 } } } }),
      'archive.sample.extraHeaders',
    ],
    [device({ faults: [{ on: 'recv' }] }), 'devices[0].faults[0].kind is missing'],
    [device({ faults: [{ on: 'there', kind: 'hang' }] }), 'devices[0].faults[0].on must be one of'],
    [device({ files: { 'a/b': 'x' } }), 'the name "a/b" in devices[0].files must be an absolute path'],
    [device({ files: { '/a': { mode: '9' } } }), 'devices[0].files["/a"].mode must be permission bits'],
    [device({ properties: { x: 1 } }), 'devices[0].properties["x"] must be text, not 1'],
  ])('refuses %j, naming the place', (lab, message) => {
    expect(() => validateLab(lab)).toThrow(message);
  });

  it('lets nothing but KhError USAGE out, whatever it is given', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (value) => {
        try {
          validateLab(value);
        } catch (error) {
          expect(error).toBeInstanceOf(KhError);
          expect((error as KhError).code).toBe('USAGE');
        }
      }),
    );
  });

  it('refuses every field that is not known, wherever it is', () => {
    const places = [
      (extra: object) => ({ devices: [], ...extra }),
      (extra: object) => device(extra),
      (extra: object) => device({ kernel: extra }),
      (extra: object) => device({ headers: { kind: 'built-in', ...extra } }),
      (extra: object) => device({ faults: [{ on: 'any', kind: 'hang', ...extra }] }),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.string({ minLength: 1 }), (place, name) => {
        const lab = place({ [`${name}?`]: 1 });
        expect(() => validateLab(lab)).toThrow('that is not known');
      }),
    );
  });
});

describe('docs/simulator.md', () => {
  const page = readFileSync(join(__dirname, '../../../docs/simulator.md'), 'utf8');

  it('has a lab file that is valid', () => {
    const example = /```json\n([^]*?)```/.exec(page)?.[1] ?? '';
    expect(validateLab(JSON.parse(example)).devices).toHaveLength(2);
  });

  it.each([...STATES, ...FAULT_POINTS, ...WIRE_FAULTS, ...CONTENT_FAULTS, ...MODULE_ERRORS])(
    'tells of %s',
    (word) => {
      expect(page).toContain(`\`${word}\``);
    },
  );

  it('tells of every field that a device may have', () => {
    const known =
      /known are (.*)$/.exec(thrownBy(() => validateLab(device({ 'no such': 1 }))).message)?.[1] ?? '';
    const untold = known.split(', ').filter((field) => !page.includes(`\`${field}\``));
    expect(untold).toEqual([]);
  });
});

function thrownBy(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe('readLab', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'kh-lab-'))));
  afterAll(() => rm(folder, { recursive: true }));

  async function read(text: string) {
    const path = join(folder, 'lab.json');
    await writeFile(path, text);
    return readLab(path);
  }

  it('reads a lab file', async () => {
    expect(await read('{"version": 1, "devices": [{"serial": "A"}]}')).toEqual({
      version: 1,
      devices: [{ serial: 'A' }],
    });
  });

  it.each([
    ['{', 'is no JSON'],
    ['{"devices": []}', 'version is missing'],
  ])('refuses %s', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });

  it('says which file can’t be read', async () => {
    await expect(readLab('/no/such/lab.json')).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('/no/such/lab.json') as string,
    });
  });
});

describe('expandClones', () => {
  it('numbers serials at the #, or at their end', () => {
    const devices = expandClones([
      { serial: 'A', count: 2 },
      { serial: '10.0.0.#:5555', count: 2, serialno: 'SAME' },
      { serial: 'B#' },
    ]);
    expect(devices.map(({ serial, serialno }) => [serial, serialno])).toEqual([
      ['A-1', undefined],
      ['A-2', undefined],
      ['10.0.0.1:5555', 'SAME'],
      ['10.0.0.2:5555', 'SAME'],
      ['B#', undefined],
    ]);
  });

  it('refuses clones that have another device’s serial', () => {
    expect(() => expandClones([{ serial: 'A', count: 1 }, { serial: 'A-1' }])).toThrow('"A-1"');
  });
});

describe('a lab that runs', () => {
  it('holds two hundred devices, with one archive between them', async () => {
    const lab = await startLab({ devices: [{ serial: 'SIM', count: 200 }] });
    expect((await ask(lab.port, 'host:devices')).match(/\tdevice\n/g)).toHaveLength(200);
    const [first, last] = [lab.devices[0], lab.devices[199]];
    expect(first?.readFile('/sys/kernel/kheaders.tar.xz')).toBe(
      last?.readFile('/sys/kernel/kheaders.tar.xz'),
    );
  });

  it('gives a device the files, properties and texts of its description, hostile ones too', async () => {
    const lab = await startLab({
      devices: [
        {
          serial: '$(reboot)',
          model: '\u001b[31mred\n',
          properties: { 'x.y': "a'b\u0007" },
          files: {
            '/sdcard/with space': { text: 'x', owner: 'shell', mode: '0600' },
            '/vendor/secret': { text: 'x', denied: true },
            '/vendor/b': { base64: 'aGk=' },
            '/proc/config.gz': null,
          },
        },
      ],
    });
    const script =
      'getprop ro.product.model; getprop x.y; cat "/sdcard/with space" /vendor/b; stat -c %a "/sdcard/with space"; cat /vendor/secret 2>&1; [ -e /proc/config.gz ] || echo none';
    expect((await shell(lab.port, '$(reboot)', script)).stdout).toBe(
      "\u001b[31mred\n\na'b\u0007\nxhi600\ncat: /vendor/secret: Permission denied\nnone\n",
    );
    expect(await ask(lab.port, 'host:devices-l')).toContain('model:__31mred_ ');
  });

  it('becomes ready after the time that its description says', async () => {
    const { port } = await startLab({ devices: [{ serial: 'A', state: 'offline', readyAfterMs: 30 }] });
    expect(await ask(port, 'host:devices')).toContain('A\toffline');
    while (!(await ask(port, 'host:devices')).includes('A\tdevice')) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });

  it('names a file that it can’t read', async () => {
    const lab = {
      devices: [{ serial: 'A', headers: { kind: 'built-in' as const, archive: 'none.tar.xz' } }],
    };
    await expect(startSimulator(lab, { folder: '/no/such' })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('/no/such/none.tar.xz') as string,
    });
  });
});

describe('runSimulator', () => {
  it('serves until the signal fires', async () => {
    const controller = new AbortController();
    let ended: Promise<void> | undefined;
    const { port } = await new Promise<Simulator>((resolve, reject) => {
      ended = runSimulator({ devices: 3, signal: controller.signal, onReady: resolve });
      ended.catch(reject);
    });
    expect((await ask(port, 'host:devices')).match(/SIM000\d\tdevice/g)).toHaveLength(3);
    controller.abort();
    await ended;
    await expect(ask(port, 'host:version')).rejects.toThrow('ECONNREFUSED');
  });

  it('shows every kind of headers where no lab is given', () => {
    const kinds = builtInLab().devices.map(({ headers }) => headers?.kind);
    expect(kinds).toEqual(['built-in', 'module', 'denied']);
    expect(() => validateLab(builtInLab())).not.toThrow();
  });
});
