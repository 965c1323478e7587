import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import fc from 'fast-check';
import { parseLabFile } from '../../../../src/app/lab/lab-file';
import { KhError } from '../../../../src/core/errors';
import { readSchema } from '../../../support/schemas';

const PATH = '/srv/lab/kh.lab.json';
const parse = (value: unknown) => parseLabFile(JSON.stringify(value), PATH);

const admits = new Ajv({ allowUnionTypes: true }).compile(readSchema('lab'));

describe('a lab file', () => {
  it('may hold nothing', () => {
    expect(parse({})).toEqual({ path: PATH, times: {} });
  });

  it('is read with times in milliseconds, and paths from where it lies', () => {
    const settings = parse({
      $schema: 'https://example.org/lab.schema.json',
      servers: [{ name: 'rack1', host: 'r1', port: 5038, jobs: 4 }, 'r2', 'r3:5039', { port: 5040 }],
      devices: ['model:Pixel_8'],
      exclude: ['rack1/MINE'],
      manifest: 'manifests/lab.json',
      requireManifest: true,
      trustedKeys: ['keys', '/etc/builder.pub'],
      jobs: 16,
      timeouts: { device: '5m', connect: 2, stall: '500ms', settle: '10s', restart: '1m' },
      privilege: 'adb-root',
    });
    expect(settings).toEqual({
      path: PATH,
      servers: [
        { name: 'rack1', host: 'r1', port: 5038, jobs: 4 },
        { host: 'r2' },
        { host: 'r3', port: 5039 },
        { port: 5040 },
      ],
      devices: ['model:Pixel_8'],
      exclude: ['rack1/MINE'],
      manifest: '/srv/lab/manifests/lab.json',
      requireManifest: true,
      trustedKeys: ['/srv/lab/keys', '/etc/builder.pub'],
      jobs: 16,
      times: { device: 300_000, connect: 2_000, stall: 500, settle: 10_000, restart: 60_000 },
      privilege: 'adb-root',
    });
  });

  it('keeps a manifest where it is that is named by its whole path', () => {
    expect(parse({ manifest: '/etc/lab.json' }).manifest).toBe('/etc/lab.json');
  });

  it.each([
    [[], 'it must be an object, not a list'],
    [{ server: [] }, 'it has a field "server" that is not known; known are $schema, servers, devices'],
    [{ servers: {} }, 'servers must be a list, not an object'],
    [{ servers: [] }, 'servers must name at least one server'],
    [{ servers: [5037] }, 'servers[0] must be an object, not 5037'],
    [{ servers: ['a', 'b:x'] }, 'servers[1] must be a host or host:port, not "b:x"'],
    [{ servers: [{ host: 'a:5037' }] }, 'servers[0].host must be a host; its port goes into "port"'],
    [{ servers: [{ host: '' }] }, 'servers[0].host must be a host'],
    [{ servers: [{ port: 0 }] }, 'servers[0].port must be a whole number from 1 to 65535, not 0'],
    [{ servers: [{ port: '5037' }] }, 'servers[0].port must be a whole number from 1 to 65535, not "5037"'],
    [{ servers: [{ name: 'a/b' }] }, 'servers[0].name must be a name'],
    [{ servers: [{ name: '\u001b[31m' }] }, 'servers[0].name must be a name'],
    [{ servers: [{ jobs: 0 }] }, 'servers[0].jobs must be a whole number from 1 to 1000, not 0'],
    [{ servers: [{ pass: 'x' }] }, 'servers[0] has a field "pass" that is not known; known are name, host'],
    [{ servers: ['a', { host: 'a' }] }, 'servers[1] is servers[0] again: "a:5037"'],
    [
      {
        servers: [
          { name: 'x', host: 'a' },
          { name: 'x', host: 'b' },
        ],
      },
      'servers[1] is servers[0] again: "x"',
    ],
    [{ devices: 'A' }, 'devices must be a list, not "A"'],
    [{ devices: ['A', ''] }, 'devices[1] must not be empty'],
    [{ exclude: [1] }, 'exclude[0] must be text, not 1'],
    [{ manifest: '' }, 'manifest must not be empty'],
    [{ trustedKeys: [] }, 'trustedKeys must name at least one key'],
    [{ requireManifest: 'yes' }, 'requireManifest must be true or false, not "yes"'],
    [{ jobs: 1.5 }, 'jobs must be a whole number from 1 to 1000, not 1.5'],
    [{ timeouts: { device: 'soon' } }, 'timeouts.device must be a length of time'],
    [{ timeouts: { device: 0 } }, 'timeouts.device must be a length of time'],
    [{ timeouts: { all: '1m' } }, 'timeouts has a field "all" that is not known; known are device, connect'],
    [{ privilege: 'root' }, 'privilege must be one of "auto", "none", "adb-root", "su", not "root"'],
  ])('%j is refused, with the file, the place and what is expected', (value, problem) => {
    expect(() => parse(value)).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: expect.stringContaining(`the lab file ${PATH} is not valid: ${problem}`) as string,
      }) as Error,
    );
  });

  it.each(['', '{', '{"jobs": 1,}', 'null'])('%j is no lab file', (text) => {
    expect(() => parseLabFile(text, PATH)).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
  });

  it.each(['fixtures/labs/kh.lab.json', 'docs/lab.md'])('is shown in %s as it is read', (file) => {
    const text = readFileSync(join(__dirname, '../../../..', file), 'utf8');
    const lab = file.endsWith('.md') ? (/^```json\n([^]*?)^```/m.exec(text)?.[1] ?? '') : text;
    expect(parseLabFile(lab, PATH).servers?.[0]).toMatchObject({ name: 'rack1' });
    expect(admits(JSON.parse(lab))).toBe(true);
  });

  it('has a schema that refuses what it does not know', () => {
    expect(admits({ jobs: 3 })).toBe(true);
    expect(admits({ job: 3 })).toBe(false);
    expect(admits({ servers: [{ hots: 'rack1' }] })).toBe(false);
    expect(admits({ privilege: 'root' })).toBe(false);
  });

  it('is read or refused, whatever JSON it holds', () => {
    const keys = ['servers', 'devices', 'exclude', 'manifest', 'jobs', 'timeouts', 'privilege', '__proto__'];
    const entry = fc.tuple(fc.constantFrom(...keys, 'x'), fc.jsonValue());
    const object = fc.array(entry, { maxLength: 4 }).map((entries) => Object.fromEntries(entries));
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), object), (value) => {
        const text = JSON.stringify(value);
        try {
          expect(parseLabFile(text, PATH).path).toBe(PATH);
          expect(admits(JSON.parse(text))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(KhError);
          expect(error).toMatchObject({ code: 'USAGE', message: expect.stringContaining(PATH) as string });
        }
      }),
    );
  });
});
