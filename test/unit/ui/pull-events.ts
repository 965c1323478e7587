import type { KhEvent } from '../../../src/core/events';

const MODULE = '/system_dlkm/lib/modules/kheaders.ko';
const BYTES = 8 * 2 ** 20;

/** What a pull reports that needs root and a module, from first to last. */
export function pullEvents(serial: string): KhEvent[] {
  return [
    { type: 'device.selected', serial, model: 'Pixel_8' },
    { type: 'kernel.identified', serial, release: '6.1.99-android14', machine: 'aarch64' },
    { type: 'privilege.raised', serial, privilege: 'su' },
    { type: 'module.loaded', serial, path: MODULE },
    {
      type: 'headers.located',
      serial,
      path: '/sys/kernel/kheaders.tar.xz',
      origin: 'module',
      bytes: BYTES,
    },
    { type: 'pull.progress', serial, bytes: BYTES / 2, totalBytes: BYTES },
    {
      type: 'archive.received',
      serial,
      sha256: 'f'.repeat(64),
      md5: 'b76fbf26bac71608fb3ae93d95e4dd6b',
      bytes: BYTES,
      milliseconds: 1234,
    },
    { type: 'tree.extracted', serial, entries: 6543, bytes: 30 * 2 ** 20 },
    { type: 'module.unloaded', serial, path: MODULE },
    {
      type: 'headers.ready',
      serial,
      release: '6.1.99-android14',
      workspace: '/kh/A/6.1',
      verdict: {
        trust: 'trusted',
        checks: ['size', 'manifest'],
        manifest: { path: 'lab.json', form: 'lab', digest: 'sha256' },
      },
    },
  ];
}
