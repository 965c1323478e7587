import { makeSampleArchive } from '../../../src/archive/sample-archive';
import { inspectHeaders } from '../../../src/archive/headers-tree';
import { unpackChunks } from '../../../src/archive/unpack-archive';
import { inChunks, limits, listing, never, scratch } from './support/scratch';

async function unpacked(options: Parameters<typeof makeSampleArchive>[0]) {
  using place = scratch();
  await unpackChunks(inChunks(await makeSampleArchive(options)), {
    treePath: place.tree,
    limits,
    signal: never,
  });
  return { names: listing(place.tree), headers: await inspectHeaders(place.tree) };
}

describe('a sample archive', () => {
  it('passes as a complete set of headers for the release it was made for', async () => {
    const { headers, names } = await unpacked({ release: '6.1.145-android14-11-gabc' });
    expect(headers.release).toBe('6.1.145-android14-11-gabc');
    expect(names.get('include/dt-bindings/input/linux-event-codes.h')).toBe(
      'link ../../uapi/linux/input-event-codes.h',
    );
    expect(names.has('include/dt-bindings/clock/sample,dispcc-one.h')).toBe(true);
    expect(names.has('include/uapi/linux/netfilter/xt_MARK.h')).toBe(true);
    expect(names.has('include/uapi/linux/netfilter/xt_mark.h')).toBe(true);
  });

  it.each([
    ['aarch64', 'arch/arm64'],
    ['x86_64', 'arch/x86'],
    ['i686', 'arch/x86'],
    ['armv7l', 'arch/arm'],
    ['riscv64', 'arch/riscv'],
  ])('for %s holds %s', async (machine, folder) => {
    const { names } = await unpacked({ release: '6.1.0', machine });
    expect(names.has(`${folder}/include/asm/page.h`)).toBe(true);
  });

  it('is the same bytes for the same options, and others for another release', async () => {
    const first = await makeSampleArchive({ release: '6.1.0', extraHeaders: 3 });
    expect((await makeSampleArchive({ release: '6.1.0', extraHeaders: 3 })).equals(first)).toBe(true);
    expect((await makeSampleArchive({ release: '6.1.1', extraHeaders: 3 })).equals(first)).toBe(false);
  });

  it('can leave out the pair of names that differ by case', async () => {
    const { names } = await unpacked({ release: '6.1.0', caseTwins: false });
    expect(names.has('include/uapi/linux/netfilter/xt_MARK.h')).toBe(false);
  });

  it('grows with the headers asked for', async () => {
    const small = await makeSampleArchive({ release: '6.1.0' });
    const large = await makeSampleArchive({ release: '6.1.0', extraHeaders: 200 });
    expect(large.length).toBeGreaterThan(small.length + 50_000);
  });
});
