import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import Ajv from 'ajv';
import fc from 'fast-check';
import {
  checkSignatures,
  formatSignatures,
  newKeyPair,
  parsePrivateKey,
  parsePublicKeys,
  parseSignatures,
  requireSignature,
  signBytes,
  type ManifestKey,
  type ManifestSignature,
} from '../../../../src/archive/manifest';
import { statementOf } from '../../../../src/archive/manifest/signatures';
import { readSchema } from '../../../support/schemas';

const NOW = new Date('2026-11-21T12:00:00.000Z');
const BYTES = Buffer.from('{"kheaders":1,"kernels":[]}\n');

interface Pair {
  secret: ManifestKey;
  public: ManifestKey;
}

function pair(): Pair {
  const { privatePem, publicPem } = newKeyPair();
  const [key] = parsePublicKeys(publicPem, 'lab.pub');
  return { secret: parsePrivateKey(Buffer.from(privatePem), 'lab.key'), public: key! };
}

const ours = pair();
const theirs = pair();
const signed = (by = ours, expires?: string) =>
  signBytes(BYTES, by.secret, { now: NOW, ...(expires === undefined ? {} : { expires }) });
const states = (signature: ManifestSignature, { bytes = BYTES, now = NOW, trusted = [ours.public] } = {}) =>
  checkSignatures(bytes, [signature], trusted, now).map(({ state }) => state);

describe('a signature', () => {
  it('counts for who trusts its key, and comes back from its file as it was', () => {
    const [signature] = parseSignatures(formatSignatures([signed()]), 'lab.json.sig');
    expect(states(signature!)).toEqual(['valid']);
  });

  it('does not count where its key is not trusted', () => {
    expect(states(signed(theirs))).toEqual(['unknown-key']);
  });

  it('does not count under the name of a key that did not make it', () => {
    expect(states({ ...signed(theirs), key: ours.public.id })).toEqual(['wrong']);
  });

  it('does not count for other bytes, even where it claims to be of them', () => {
    const bytes = Buffer.from(BYTES.toString().replace('[]', '[ ]'));
    expect(states(signed(), { bytes })).toEqual(['stale']);
    const { sha256 } = signBytes(bytes, theirs.secret, { now: NOW });
    expect(states({ ...signed(), sha256 }, { bytes })).toEqual(['wrong']);
  });

  it('counts until it expires, and its date cannot be moved or dropped', () => {
    const expires = '2026-12-01T00:00:00.000Z';
    const signature = signed(ours, expires);
    const later = new Date(expires);
    expect(states(signature)).toEqual(['valid']);
    expect(states(signature, { now: later })).toEqual(['expired']);
    expect(states({ ...signature, expires: '2030-01-01' }, { now: later })).toEqual(['wrong']);
    const { key, sha256, signedAt, signature: made } = signature;
    expect(states({ key, sha256, signedAt, signature: made }, { now: later })).toEqual(['wrong']);
  });

  it('of the future does not count, but clocks may differ by minutes', () => {
    expect(states(signed(), { now: new Date(NOW.getTime() - 60_000) })).toEqual(['valid']);
    expect(states(signed(), { now: new Date(NOW.getTime() - 3_600_000) })).toEqual(['future']);
  });

  it('does not count with any one character of it changed', () => {
    const signature = signed();
    const fields = ['key', 'sha256', 'signedAt', 'signature'] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...fields),
        fc.nat(),
        fc.constantFrom('0', '1', '9', 'a', 'b', 'A', 'Z'),
        (field, at, letter) => {
          const text = signature[field];
          const index = at % text.length;
          const changed = text.slice(0, index) + letter + text.slice(index + 1);
          // The last letter of base64 has bits that no byte comes of.
          fc.pre(!Buffer.from(changed, 'base64').equals(Buffer.from(text, 'base64')));
          expect(states({ ...signature, [field]: changed })).not.toEqual(['valid']);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is of a text that says what it is, as docs/manifests.md shows it', () => {
    expect(statementOf({ sha256: 'ab', signedAt: 'then' }).toString()).toBe(
      'kheaders manifest signature 1\nsha256 ab\nsigned-at then\nexpires never\n',
    );
  });
});

describe('a manifest', () => {
  it('is trusted if one of its signatures counts: a lab may go over from one key to the next', () => {
    const checked = checkSignatures(BYTES, [signed(theirs), signed()], [ours.public], NOW);
    expect(() => requireSignature('lab.json', checked)).not.toThrow();
  });

  it('that was signed in the future tells of clocks, not of signing', () => {
    const early = new Date(NOW.getTime() - 3_600_000);
    const checked = checkSignatures(BYTES, [signed()], [ours.public], early);
    expect(() => requireSignature('lab.json', checked)).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/^Set the clock/) as string }) as Error,
    );
  });

  it('is refused without any, and with what is wrong of each', () => {
    const refusal = (list: ManifestSignature[]): unknown => {
      try {
        requireSignature('lab.json', checkSignatures(BYTES, list, [ours.public], NOW));
        return undefined;
      } catch (error) {
        return error;
      }
    };
    expect(refusal([])).toMatchObject({
      code: 'MANIFEST_UNTRUSTED',
      message: expect.stringMatching(/is not signed/) as string,
    });
    expect(refusal([{ ...signed(), sha256: '0'.repeat(64) }])).toMatchObject({
      message: expect.stringMatching(/was changed since it was signed/) as string,
    });
    const stale = { ...signed(), sha256: '0'.repeat(64) };
    expect(refusal([signed(theirs), stale])).toMatchObject({
      code: 'MANIFEST_UNTRUSTED',
      message: expect.stringMatching(
        new RegExp(`${theirs.public.id.slice(0, 16)} is not one of .*; key .* signed other bytes`),
      ) as string,
      hint: expect.stringContaining('--trusted-key') as string,
    });
  });
});

describe('a file of signatures', () => {
  it('is as its schema says', () => {
    const admits = new Ajv().compile(readSchema('manifest-signatures'));
    expect(admits(JSON.parse(formatSignatures([signed(), signed(ours, '2027-01-01')])))).toBe(true);
    expect(admits({ kheadersSignatures: 1, signatures: [{}] })).toBe(false);
  });

  it.each([
    ['no JSON', '{'],
    ['another version', '{"kheadersSignatures":2,"signatures":[]}'],
    ['an unknown field', '{"kheadersSignatures":1,"signatures":[],"__proto__":{}}'],
    [
      'a short signature',
      JSON.stringify({ kheadersSignatures: 1, signatures: [{ ...signed(), signature: 'AA==' }] }),
    ],
    ['nothing', ''],
    ['too much', ' '.repeat(300_000)],
  ])('with %s is refused', (_, text) => {
    expect(() => parseSignatures(text, 'x.sig')).toThrow(
      expect.objectContaining({ code: 'MANIFEST_UNUSABLE' }) as Error,
    );
  });

  it('of any text at all is read or refused', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({ kheadersSignatures: fc.constant(1), signatures: fc.array(fc.jsonValue()) })
        .map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(anything, (text) => {
        try {
          expect(Array.isArray(parseSignatures(text, 'x.sig'))).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'MANIFEST_UNUSABLE' });
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('a key', () => {
  const { privatePem, publicPem } = newKeyPair();
  const usage = (message: RegExp) =>
    expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(message) as string }) as Error;

  it('has one id, be it read from its public or its private part', () => {
    const [key] = parsePublicKeys(publicPem, 'a.pub');
    expect(parsePrivateKey(Buffer.from(privatePem), 'a.key').id).toBe(key!.id);
  });

  it('may be one of several in a file', () => {
    expect(parsePublicKeys(`# ours\n${publicPem}${newKeyPair().publicPem}`, 'both.pub')).toHaveLength(2);
  });

  it('that is private is no key to check with', () => {
    expect(() => parsePublicKeys(privatePem, 'a.key')).toThrow(usage(/a\.key is a private key/));
  });

  it('of another kind is refused', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const pem = createPublicKey(rsa).export({ type: 'spki', format: 'pem' }).toString();
    expect(() => parsePublicKeys(pem, 'rsa.pub')).toThrow(usage(/kind rsa/));
    const secret = Buffer.from(rsa.export({ type: 'pkcs8', format: 'pem' }).toString());
    expect(() => parsePrivateKey(secret, 'rsa.key')).toThrow(usage(/kind rsa/));
  });

  it.each(['', 'hello', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----'])(
    'is not %j',
    (text) => {
      expect(() => parsePublicKeys(text, 'x')).toThrow(usage(/public key/));
      expect(() => parsePrivateKey(Buffer.from(text), 'x')).toThrow(usage(/no private key/));
    },
  );

  it('that is encrypted opens with its passphrase only', () => {
    const locked = Buffer.from(newKeyPair('open sesame').privatePem);
    expect(parsePrivateKey(locked, 'x', 'open sesame').id).toMatch(/^[0-9a-f]{64}$/);
    expect(() => parsePrivateKey(locked, 'x', 'wrong')).toThrow(usage(/does not open/));
    expect(() => parsePrivateKey(locked, 'x')).toThrow(usage(/is encrypted/));
  });
});
