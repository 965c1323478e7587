import { createHash } from 'node:crypto';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { hostileArchives } from '../../../../fixtures/archives/make-hostile-archives';
import { openIndex } from '../../../../src/archive/index/index-file';
import { writeIndex } from '../../../../src/archive/index/write-index';
import { makeSampleArchive } from '../../../../src/archive/sample-archive';
import { unpackArchive } from '../../../../src/archive/unpack-archive';
import { inChunks, limits, listing, never, rejection, scratch, type Scratch } from '../support/scratch';

jest.setTimeout(60_000); // Some sixty archives in one test.

const RELEASE = '6.1.0-sample';

function write(place: Scratch, bytes: Buffer, more: Partial<typeof limits> = {}) {
  const path = place.path('index');
  return writeIndex(inChunks(bytes), { path, limits: { ...limits, ...more }, signal: never });
}

describe('an index', () => {
  it('holds every file, folder and link of its archive, as unpacking gives them', async () => {
    using place = scratch();
    const archive = await makeSampleArchive({ release: RELEASE, extraHeaders: 300 });
    const written = await write(place, archive);
    expect(written).toEqual({
      bytes: archive.length,
      md5: createHash('md5').update(archive).digest('hex'),
      sha256: createHash('sha256').update(archive).digest('hex'),
      outcome: { ok: true, release: RELEASE },
    });
    writeFileSync(place.path('archive'), archive);
    await unpackArchive(place.path('archive'), { treePath: place.tree, limits, signal: never });
    using index = openIndex(place.path('index'))!;
    expect(index.release).toBe(RELEASE);
    const members = index.members.map((member) => {
      const mode = member.mode.toString(8);
      if (member.kind === 'directory') return [member.path, `directory ${mode}`] as const;
      if (member.kind === 'symlink') return [member.path, `link ${member.target}`] as const;
      const content = index.read(member.offset, member.offset + member.size).toString('base64');
      return [member.path, `file ${mode} ${content}`] as const;
    });
    expect(new Map(members)).toEqual(listing(place.tree));
    expect(statSync(place.path('index')).mode & 0o777).toBe(0o600);
  });

  it('is refused for every archive that is not unpacked either, and all of that is read', async () => {
    for (const { name, bytes, code, limits: own, disk } of await hostileArchives()) {
      if (disk !== undefined) continue; // nothing of an index depends on the disk's names
      using place = scratch();
      const work = write(place, bytes, own);
      const found = await work.then(
        ({ outcome, bytes: read }) => {
          expect(read).toBe(bytes.length);
          return outcome.ok ? 'none' : outcome.error.code;
        },
        (error: unknown) => (error as { code: string }).code,
      );
      expect([name, found]).toEqual([name, code]);
    }
  });

  it('is not taken for one where it was cut short or written over', async () => {
    using place = scratch();
    const path = place.path('index');
    await write(place, await makeSampleArchive({ release: RELEASE }));
    const whole = readFileSync(path);
    for (const size of [0, 10, whole.length - 1, whole.length - 30]) {
      writeFileSync(path, whole);
      truncateSync(path, size);
      expect(openIndex(path)).toBeUndefined();
    }
    writeFileSync(path, Buffer.concat([whole.subarray(0, -19), Buffer.from('kh-index-1:99999999')]));
    expect(openIndex(path)).toBeUndefined();
    writeFileSync(path, whole.subarray(1000)); // the table is whole, the contents are not
    expect(openIndex(path)).toBeUndefined();
  });

  it('passes on what stops the archive from coming', async () => {
    using place = scratch();
    const failure = new Error('the cable went');
    async function* broken() {
      yield Buffer.from('\xfd7zXZ\0', 'latin1');
      throw failure;
    }
    const options = { path: place.path('index'), limits, signal: never };
    expect(await rejection(writeIndex(broken(), options))).toBe(failure);
  });
});
