import fc from 'fast-check';
import { KhError } from '../../../src/core/errors';
import { formatWorkspaceRecord, parseWorkspaceRecord } from '../../../src/store/workspace-record';
import { workspaceRecord } from './rig';

const PATH = '/store/workspace.json';
const valid = JSON.parse(formatWorkspaceRecord(workspaceRecord())) as Record<string, unknown>;

/** Every place in the record, as a list of keys. */
function places(value: unknown, at: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [at];
  return [at, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...at, key]))];
}

/** A copy with another value at one place, or without it. */
function changed(value: unknown, [key, ...rest]: string[], to: unknown): unknown {
  if (key === undefined) return to;
  const copy: Record<string, unknown> = { ...(value as Record<string, unknown>) };
  copy[key] = changed(copy[key], rest, to);
  if (copy[key] === undefined) Reflect.deleteProperty(copy, key);
  return copy;
}

describe('workspace.json', () => {
  it('reads back as it was written', () => {
    const { release, version, machine, arch } = workspaceRecord().kernel;
    const bare = workspaceRecord({
      verdict: { trust: 'unverified', checks: [] },
      kernel: { release, version, machine, arch },
    });
    const packed = workspaceRecord({
      kernelBuild: { sha256: 'ab'.repeat(32), md5: 'cd'.repeat(16), bytes: 9_000_000 },
    });
    for (const record of [workspaceRecord(), bare, packed]) {
      expect(parseWorkspaceRecord(formatWorkspaceRecord(record), PATH)).toEqual(record);
    }
  });

  it('reads back what a device said at any length, cut', () => {
    const { device } = workspaceRecord();
    const long = workspaceRecord({ device: { ...device, model: 'x'.repeat(2 ** 20) } });
    expect(parseWorkspaceRecord(formatWorkspaceRecord(long), PATH).device.model).toBe('x'.repeat(4096));
  });

  it.each([
    ['', /no JSON/],
    ['[]', /no JSON object/],
    ['null', /no JSON object/],
    ['{}', /no workspace of form 1/],
    ['{"workspace": "1"}', /no workspace of form 1/],
    ['{"workspace": 2}', /newer kh/],
    ['{"workspace": 1}', /headers is not an object/],
  ])('is refused as %j', (text, message) => {
    expect(() => parseWorkspaceRecord(text, PATH)).toThrow(message);
  });

  it.each([
    [['archive', 'sha256'], '../../etc', /archive\.sha256 is not 64 hex digits/],
    [['archive', 'md5'], 'AB'.repeat(16), /archive\.md5 is not 32 hex digits/],
    [['archive', 'bytes'], -1, /archive\.bytes is not a whole number/],
    [['headers', 'origin'], 'elsewhere', /headers\.origin is not one of built-in, module/],
    [['verdict', 'checks'], ['size', 'luck'], /verdict\.checks is not/],
    [['pulledAt'], 'yesterday', /pulledAt is not a time/],
    [['kernel', 'release'], 'x'.repeat(5000), /kernel\.release is not a text/],
    [['device', 'model'], null, /device\.model is not a text/],
  ])('names the field that is wrong: %j', (place, value, message) => {
    const text = JSON.stringify(changed(valid, place, value));
    expect(() => parseWorkspaceRecord(text, PATH)).toThrow(message);
  });

  it('is read strictly, whatever stands in it: a record of the right kinds, or STORE_DAMAGED', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...places(valid)),
        fc.option(fc.jsonValue(), { nil: undefined }),
        (place, value) => {
          fc.pre(place.length > 0 || value !== undefined);
          try {
            const record = parseWorkspaceRecord(JSON.stringify(changed(valid, place, value)), PATH);
            expect(parseWorkspaceRecord(formatWorkspaceRecord(record), PATH)).toEqual(record);
          } catch (error) {
            if (!(error instanceof KhError)) throw error;
            expect(['STORE_DAMAGED', 'STORE_NEWER']).toContain(error.code);
          }
        },
      ),
    );
  });

  it('never fails in another way on a file that is cut off or garbled', () => {
    const text = formatWorkspaceRecord(workspaceRecord());
    fc.assert(
      fc.property(fc.nat(text.length - 3), fc.string(), (at, rest) => {
        fc.pre(!text.startsWith(rest, at));
        try {
          parseWorkspaceRecord(text.slice(0, at) + rest, PATH);
        } catch (error) {
          expect(error).toMatchObject({ code: 'STORE_DAMAGED', details: { path: PATH } });
        }
      }),
    );
  });
});
