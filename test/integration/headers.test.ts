import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { END_OF_ARCHIVE, rawMember } from '../../fixtures/archives/tar-blocks';
import { storedXz } from '../../fixtures/archives/stored-xz';
import { makeSampleArchive } from '../../src/archive/sample-archive';
import { kh, startKh, type KhOptions, type KhRun } from '../support/kh';
import { modulePhone, pixel, startLab } from '../support/lab';
import { errorOf, pull } from '../support/pull';
import { stagingLeftovers, storeArchives, storeTrees, storeWorkspaces } from '../support/store-contents';
import { tempFolder } from '../support/temp-folder';

const RELEASE = '6.1.0-sample';

/** A sample archive as a file, and a store to look into it with. */
async function archiveFile(bytes?: Buffer): Promise<{ archive: string; home: string }> {
  const folder = await tempFolder();
  const archive = join(folder, 'kheaders.tar.xz');
  writeFileSync(archive, bytes ?? (await makeSampleArchive({ release: RELEASE })));
  return { archive, home: join(folder, 'home') };
}

async function ofArchive(
  words: string,
  { archive, home }: { archive: string; home: string },
): Promise<KhRun> {
  return kh(['headers', ...words.split(' '), '-a', archive], { home });
}

/** What it printed, of a run that went well. */
async function printed(words: string, place: { archive: string; home: string }): Promise<string> {
  const run = await ofArchive(words, place);
  expect(run).toExitWith(0);
  return run.stdout;
}

describe('kh headers, of an archive file', () => {
  it('lists what globs name', async () => {
    const place = await archiveFile();
    expect(await printed('list sched.h include/generated !**/uapi', place)).toBe(
      [
        'include/generated/autoconf.h',
        'include/generated/compile.h',
        'include/generated/utsrelease.h',
        'include/linux/sched.h',
        '',
      ].join('\n'),
    );
    expect(await printed('list -l *event-codes*', place)).toMatch(
      /^lrw-r--r-- +- include\/dt-bindings\/input\/linux-event-codes\.h -> \.\.\/\.\.\/uapi\/linux\/input-event-codes\.h\n-rw-r--r-- +\d+ include\/uapi/,
    );
    expect(await printed('list -ld include/dt-bindings', place)).toContain(
      'drwxr-xr-x  - include/dt-bindings/\n',
    );
  });

  it('shows files by path, as #include names them, and through links', async () => {
    const place = await archiveFile();
    expect(await printed('show generated/utsrelease.h', place)).toBe(`#define UTS_RELEASE "${RELEASE}"\n`);
    expect(await printed('show utsrelease.h ./include/generated/utsrelease.h', place)).toHaveLength(
      2 * `#define UTS_RELEASE "${RELEASE}"\n`.length,
    );
    expect(await printed('show include/dt-bindings/input/linux-event-codes.h', place)).toContain('EV_KEY');
  });

  it('says which are called so, what is a folder, and what is not there', async () => {
    const place = await archiveFile();
    const several = await ofArchive('show types.h --json', place);
    expect(several).toExitWith(2);
    expect(errorOf(several)).toMatchObject({
      code: 'HEADER_AMBIGUOUS',
      details: {
        candidates: expect.arrayContaining([
          'include/linux/types.h',
          'include/uapi/linux/types.h',
        ]) as string[],
      },
    });
    for (const name of ['include/linux', 'kernel/sched/sched.h', '../../../etc/passwd']) {
      const run = await ofArchive(`show ${name} --json`, place);
      expect(run).toExitWith(5);
      expect(errorOf(run).code).toBe('HEADER_NOT_FOUND');
    }
  });

  it('searches as rg prints', async () => {
    const place = await archiveFile();
    expect(await printed('search UTS_\\w+', place)).toBe(
      [
        'include/generated/compile.h:1:#define UTS_MACHINE "aarch64"',
        `include/generated/utsrelease.h:1:#define UTS_RELEASE "${RELEASE}"`,
        '',
      ].join('\n'),
    );
    expect(await printed('search -iW config_HZ **/autoconf.h -B1 --no-line-number', place)).toBe(
      'include/generated/autoconf.h-#define CONFIG_ARM64 1\ninclude/generated/autoconf.h:#define CONFIG_HZ 250\n',
    );
    expect(await printed('search -c CONFIG_ -g autoconf.h', place)).toBe('include/generated/autoconf.h:4\n');
    expect(await printed('search -lF EV_KEY', place)).toBe('include/uapi/linux/input-event-codes.h\n');
  });

  it('exits with 0 where nothing matches, and says so on stderr', async () => {
    const run = await ofArchive('search no_such_symbol', await archiveFile());
    expect(run).toExitWith(0);
    expect(run.stdout).toBe('');
    expect(run.stderr).toContain(`files of ${RELEASE}\n`);
    const nowhere = await ofArchive('search UTS_RELEASE -g *.c', await archiveFile());
    expect(nowhere.stderr).toBe(`warning: no file of ${RELEASE} has a name that the globs take\n`);
  });

  it('gives everything as data with --json', async () => {
    const place = await archiveFile();
    expect((await ofArchive('list utsrelease.h --json', place)).json()).toMatchObject({
      result: {
        release: RELEASE,
        members: [{ path: 'include/generated/utsrelease.h', kind: 'file', mode: '0644' }],
      },
    });
    expect((await ofArchive('show utsrelease.h --json', place)).json()).toMatchObject({
      result: [{ encoding: 'utf8', content: `#define UTS_RELEASE "${RELEASE}"\n` }],
    });
    expect((await ofArchive('search UTS_RELEASE --json', place)).json()).toMatchObject({
      result: { files: [{ lines: [{ number: 1, matches: [{ start: 8, end: 19 }] }] }] },
    });
  });

  it('reads its index the second time, and makes a damaged one again', async () => {
    const place = await archiveFile();
    const first = await printed('list', place);
    const folder = join(place.home, 'v1/indexes');
    const [name = ''] = readdirSync(folder);
    expect(await printed('list', place)).toBe(first);
    writeFileSync(join(folder, name), 'this is no index');
    expect(await printed('list', place)).toBe(first);
    expect(readdirSync(folder)).toEqual([name]);
    expect(await stagingLeftovers(place.home)).toEqual([]);
    expect(await storeArchives(place.home)).toEqual([]);
  });

  it('refuses an archive that is none, and a file that is not there', async () => {
    const place = await archiveFile(Buffer.from('this is no archive'));
    const run = await ofArchive('list --json', place);
    expect(run).toExitWith(7);
    expect(errorOf(run).code).toBe('ARCHIVE_CORRUPT');
    expect(readdirSync(join(place.home, 'v1/indexes'))).toEqual([]);
    expect(await ofArchive('list', { ...place, archive: '/nowhere.tar.xz' })).toExitWith(2);
    expect(await ofArchive('search (', place)).toExitWith(2);
  });

  it('lets nothing of an archive act on a terminal', async () => {
    const evil = '\u001b]0;gone\u0007';
    const tar = Buffer.concat([
      rawMember({ name: `./include/${evil}.h`, content: Buffer.from(`#define ${evil} 1\n`) }),
      END_OF_ARCHIVE,
    ]);
    const place = await archiveFile(storedXz([tar]));
    const listed = await printed('list', place);
    const found = await printed('search define', place);
    for (const text of [listed, found]) {
      expect(text).toContain('\\x1b]0;gone\\x07');
      expect(text).not.toContain('\u001b');
    }
    expect(await printed(`show ${evil}.h`, place)).toBe(`#define ${evil} 1\n`); // no terminal: byte for byte
  });

  it('stops when it is interrupted, also in the middle of a regular expression', async () => {
    const line = Buffer.from(`${'a'.repeat(5000)}b\n`);
    const tar = Buffer.concat([rawMember({ name: './include/slow.h', content: line }), END_OF_ARCHIVE]);
    const { archive, home } = await archiveFile(storedXz([tar]));
    await kh(['headers', 'list', '-a', archive], { home });
    const running = await startKh(['headers', 'search', '(a+)+$', '-a', archive, '--verbose'], { home });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    running.send('SIGINT');
    expect(await running.ended).toExitWith(130); // the expression would go on for years
  });
});

describe('kh headers, of a workspace', () => {
  it('reads it by its name and by its kernel, with no device', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const { home } = await pull(lab);
    for (const place of [
      ['-w', 'PIXEL'],
      ['--kernel', '6.1.145-android14-11-gc1de4747ac59-ab14219743'],
    ]) {
      const run = await kh(['headers', 'show', 'utsrelease.h', ...place], { home });
      expect(run).toExitWith(0);
      expect(run.stdout).toContain('6.1.145-android14-11');
    }
    expect(await kh(['headers', 'list', '-w', 'NOBODY'], { home })).toExitWith(5);
  });
});

describe('kh headers, of a device', () => {
  const list = (options: KhOptions, ...words: string[]) =>
    kh(['headers', 'list', 'utsrelease.h', ...words], options);

  it('reads what was never pulled, transfers it once, and leaves no archive, tree or workspace', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const run = await list({ lab });
    expect(run).toExitWith(0);
    expect(run.stdout).toBe('include/generated/utsrelease.h\n');
    const { home } = run;
    const transfers = lab.device('PIXEL').counters.recvStarted;
    const again = await list({ lab, home });
    expect(again.stdout).toBe(run.stdout);
    expect(lab.device('PIXEL').counters.recvStarted).toBe(transfers);
    expect([await storeArchives(home), await storeTrees(home), await storeWorkspaces(home)]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it('transfers nothing of what was pulled', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const { home } = await pull(lab);
    const transfers = lab.device('PIXEL').counters.recvStarted;
    expect(await list({ lab, home })).toExitWith(0);
    expect(lab.device('PIXEL').counters.recvStarted).toBe(transfers);
  });

  it('loads kheaders.ko where it has to, and unloads it', async () => {
    const lab = await startLab({ devices: [modulePhone()] });
    const run = await list({ lab });
    expect(run).toExitWith(0);
    expect(run.stderr).toMatch(/^MODULE: unloaded kheaders$/m);
    expect(lab.device('MODULE').modules()).toEqual([]);
  });

  it('has a line for each of several', async () => {
    const lab = await startLab({ devices: [pixel(), modulePhone()] });
    const run = await list({ lab }, '--all');
    expect(run).toExitWith(0);
    expect(run.stdout).toBe(
      ['PIXEL', 'MODULE'].map((serial) => `==> ${serial} <==\ninclude/generated/utsrelease.h\n`).join(''),
    );
  });

  it('says of each of several where nothing was found', async () => {
    const lab = await startLab({ devices: [pixel(), modulePhone()] });
    const run = await kh(['headers', 'search', 'no_such_symbol', '--all'], { lab });
    expect(run).toExitWith(0);
    expect(run.stderr).toMatch(/^warning: PIXEL: nothing matches in \d+ files of /m);
    expect(run.stderr).toMatch(/^warning: MODULE: nothing matches in \d+ files of /m);
  });

  it('does not take a damaged transfer for the archive', async () => {
    const lab = await startLab({ devices: [pixel({ faults: [{ on: 'md5', kind: 'wrong-md5' }] })] });
    const run = await list({ lab }, '--json');
    expect(run).toExitWith(6);
    expect(errorOf(run).code).toBe('VERIFY_MD5');
    expect(readdirSync(join(run.home, 'v1/indexes'))).toEqual([]);
  });

  it.each([['absent'], ['denied']] as const)(
    'fails as a pull does where the headers are %s',
    async (kind) => {
      const lab = await startLab({ devices: [pixel({ headers: { kind } })] });
      expect(await list({ lab })).toExitWith(5);
    },
  );
});

describe('kh headers diff', () => {
  async function two(): Promise<{ one: string; other: string; home: string }> {
    const [{ archive: one, home }, { archive: other }] = await Promise.all([
      archiveFile(),
      archiveFile(await makeSampleArchive({ release: '6.12.0-sample', machine: 'x86_64', extraHeaders: 1 })),
    ]);
    return { one, other, home };
  }

  it('tells which options and files differ', async () => {
    const { one, other, home } = await two();
    const run = await kh(['headers', 'diff', one, other], { home });
    expect(run).toExitWith(0);
    expect(run.stdout).toMatch(/^6\.1\.0-sample → 6\.12\.0-sample\n- CONFIG_ARM64: y → not set\n/);
    expect(run.stdout).toMatch(/^D arch\/arm64\/include\/asm\/page\.h +\d+ B$/m);
    expect(run.stdout).toMatch(/^A arch\/x86\/include\/asm\/page\.h +\d+ B$/m);
    expect(run.stdout).toMatch(/^M include\/generated\/utsrelease\.h +35 B → 36 B$/m);
    expect(run.stdout).toMatch(
      /\nfiles: 6 added, 5 removed, 4 changed, 27 the same; options that differ: 1\n$/,
    );
  });

  it('gives a patch of the files that globs name, and counts its lines', async () => {
    const { one, other, home } = await two();
    const words = ['headers', 'diff', one, other, 'utsrelease.h'];
    const run = await kh([...words, '--patch'], { home });
    expect(run.stdout).toBe(
      [
        '--- a/include/generated/utsrelease.h',
        '+++ b/include/generated/utsrelease.h',
        '@@ -1,1 +1,1 @@',
        '-#define UTS_RELEASE "6.1.0-sample"',
        '+#define UTS_RELEASE "6.12.0-sample"',
        '',
      ].join('\n'),
    );
    expect((await kh([...words, '--stat'], { home })).stdout).toMatch(/^M .*utsrelease\.h {2}\+1 -1$/m);
  });

  it('finds nothing between a workspace, its kernel and its archive', async () => {
    const lab = await startLab({ devices: [pixel()] });
    const { home } = await pull(lab);
    const release = '6.1.145-android14-11-gc1de4747ac59-ab14219743';
    const [sha256 = ''] = await storeTrees(home);
    const archive = join(home, 'v1/archives', `${sha256}.tar.xz`);
    for (const other of [release, archive]) {
      const run = await kh(['headers', 'diff', 'PIXEL', other, '--json'], { home });
      expect(run).toExitWith(0);
      expect(run.json()).toMatchObject({
        result: { before: release, after: release, files: [], config: [] },
      });
    }
  });

  it('says what it has no kernel by', async () => {
    const run = await kh(['headers', 'diff', 'NOWHERE', 'NOBODY', '--json']);
    expect(run).toExitWith(5);
    expect(errorOf(run)).toMatchObject({
      code: 'WORKSPACE_NOT_FOUND',
      message: expect.stringContaining('NOWHERE is no archive file') as string,
    });
  });
});
