import { writeFileSync } from 'node:fs';
import { hostileArchives, type HostileArchive } from '../../../fixtures/archives/make-hostile-archives';
import { unpackArchive } from '../../../src/archive/unpack-archive';
import type { DecoderName } from '../../../src/archive/xz/decode-xz';
import { limits, listing, never, rejection, scratch } from './support/scratch';

jest.setTimeout(60_000); // Some sixty archives a test.

const TRAITS = { foldsCase: false, foldsUnicode: false, hasLinks: true, keepsModes: true };

/** Unpacks into a folder with a canary around it, and looks at what changed outside. */
async function unpackHostile(archive: HostileArchive, decoder?: DecoderName) {
  using place = scratch();
  const path = place.path('stage/archive.tar.xz');
  writeFileSync(path, archive.bytes);
  writeFileSync(place.path('canary'), 'untouched');
  const outside = () => [...listing(place.root)].filter(([name]) => !name.startsWith('stage/tree/'));
  const before = outside();
  const error = await rejection(
    unpackArchive(path, {
      treePath: place.tree,
      limits: { ...limits, ...archive.limits },
      signal: never,
      decoder,
      ...(archive.disk === undefined ? {} : { disk: { ...TRAITS, ...archive.disk } }),
    }),
  );
  return {
    error,
    before,
    after: outside(),
    links: [...listing(place.tree)].filter(([, what]) => what.startsWith('link')),
  };
}

describe('hostile archives', () => {
  let archives: HostileArchive[] = [];
  beforeAll(async () => {
    archives = await hostileArchives();
  });

  it('are at least thirty, each under a name of its own', () => {
    expect(archives.length).toBeGreaterThanOrEqual(30);
    expect(new Set(archives.map(({ name }) => name)).size).toBe(archives.length);
  });

  it('are the same bytes each time they are made', async () => {
    const again = await hostileArchives();
    expect(again.every(({ bytes }, n) => bytes.equals(archives[n]!.bytes))).toBe(true);
  });

  it('are each refused with their own code and message, and nothing appears outside the stage', async () => {
    for (const archive of archives) {
      const { error, before, after } = await unpackHostile(archive);
      expect({ name: archive.name, error }).toMatchObject({
        name: archive.name,
        error: { code: archive.code },
      });
      expect((error as Error).message).toMatch(archive.message);
      expect({ name: archive.name, outside: after }).toEqual({ name: archive.name, outside: before });
    }
  });

  it('never get as far as making a link', async () => {
    for (const archive of archives) {
      const { links } = await unpackHostile(archive);
      expect({ name: archive.name, links }).toEqual({ name: archive.name, links: [] });
    }
  });

  it.each(['native', 'wasm', 'xz'] as const)(
    'mean the same to the %s decoder when they are damaged',
    async (decoder) => {
      const containers = archives.filter(({ name }) =>
        /^(cut|one-bit|garbage|other|bomb|too-much)/.test(name),
      );
      expect(containers.length).toBeGreaterThan(10);
      for (const archive of containers) {
        const { error } = await unpackHostile(archive, decoder);
        expect({ name: archive.name, error }).toMatchObject({
          name: archive.name,
          error: { code: archive.code },
        });
        expect((error as Error).message).toMatch(archive.message);
      }
    },
  );
});
