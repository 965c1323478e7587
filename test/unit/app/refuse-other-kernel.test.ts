import { pullHeaders } from '../../../src/app/pull-headers';
import { kernelOf, selectKernel } from '../../../src/app/kernel-workspace';
import { refuseOtherKernel } from '../../../src/app/refuse-other-kernel';
import type { DeviceDescription } from '../../../src/simulator/lab/lab-description';
import { largeArchive, pixel, startLab } from '../../support/lab';
import { tempFolder } from '../../support/temp-folder';
import { onDevice, RELEASE, VERSION } from './kernels';

const PULL = { privilege: 'auto', requireManifest: false, force: false } as const;
const KERNEL = { release: RELEASE, version: VERSION };

/** What the workspace of one phone is to another one that looks so. */
async function compare(other: Partial<DeviceDescription>) {
  const home = await tempFolder();
  const lab = await startLab({ devices: [pixel({ kernel: KERNEL }), pixel({ serial: 'OTHER', ...other })] });
  await onDevice(lab, home, 'PIXEL', (device, context) => pullHeaders(device, PULL, context));
  return onDevice(lab, home, 'OTHER', async (device, context) => {
    const workspace = await selectKernel(context.store, { workspace: 'PIXEL', serials: [] }, context.emit);
    expect(kernelOf(workspace).release).toBe(RELEASE);
    await refuseOtherKernel(device, workspace, context);
  });
}

describe('refuseOtherKernel', () => {
  it('lets a device pass that runs the same build', async () => {
    await expect(compare({ kernel: KERNEL })).resolves.toBeUndefined();
  });

  it('lets one pass whose archive may not be read: release and build are all there is to see', async () => {
    await expect(compare({ kernel: KERNEL, headers: { kind: 'denied' } })).resolves.toBeUndefined();
  });

  it('names both releases', async () => {
    await expect(compare({ kernel: { release: '6.1.99-other' } })).rejects.toMatchObject({
      code: 'BUILD_OTHER_KERNEL',
      exitCode: 8,
      message: `OTHER: the device runs 6.1.99-other, and the workspace is of ${RELEASE}`,
    });
  });

  it('names both builds of one release', async () => {
    await expect(compare({ kernel: { ...KERNEL, version: '#2 SMP' } })).rejects.toMatchObject({
      message: `OTHER: the device runs ${RELEASE} #2 SMP, and the workspace is of another build, ${VERSION}`,
    });
  });

  it('tells builds apart by the digest of their archives where all else is the same', async () => {
    const headers = { kind: 'built-in', archive: await largeArchive(KERNEL) } as const;
    await expect(compare({ kernel: KERNEL, headers })).rejects.toMatchObject({
      code: 'BUILD_OTHER_KERNEL',
      message: expect.stringMatching(/with the headers archive [0-9a-f]{32}/) as string,
    });
  });
});
