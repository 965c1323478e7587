import { commandEnvironment } from '../../../../src/app/watch/command-environment';
import type { LabDevice } from '../../../../src/app/lab/reach-lab';
import type { PulledHeaders } from '../../../../src/app/pull-headers';

const RESULT: PulledHeaders = {
  workspace: '/kh/v1/workspaces/PIXEL/6.1.0',
  headers: '/kh/v1/workspaces/PIXEL/6.1.0/headers',
  device: 'PIXEL',
  release: '6.1.0',
  version: '#1 SMP PREEMPT',
  machine: 'aarch64',
  arch: 'arm64',
  bytes: 1000,
  md5: '0'.repeat(32),
  sha256: '1'.repeat(64),
  danglingLinks: 0,
  origin: 'built-in',
  transferred: true,
  changed: true,
  verdict: { trust: 'trusted', checks: ['size'] },
};
const ADDRESS = { kind: 'tcp', host: 'lab', port: 5038 } as const;

function device(serial: string): LabDevice {
  const server = { name: 'rack 1', address: ADDRESS, startable: false } as LabDevice['server'];
  return { serial, state: 'device', name: serial, server };
}

function environment(serial: string, result: Partial<PulledHeaders> = {}, env: NodeJS.ProcessEnv = {}) {
  return commandEnvironment(
    { device: device(serial), result: { ...RESULT, ...result } },
    { env, home: '/kh' },
  );
}

describe('the environment of a command', () => {
  it('has the facts of the workspace, beside what kh was started with', () => {
    expect(environment('PIXEL', {}, { PATH: '/bin' })).toEqual({
      PATH: '/bin',
      ANDROID_SERIAL: 'PIXEL',
      ANDROID_ADB_SERVER_ADDRESS: 'lab',
      ANDROID_ADB_SERVER_PORT: '5038',
      KH_HOME: '/kh',
      KH_SERIAL: 'PIXEL',
      KH_SERVER: 'rack 1',
      KH_DEVICE: 'PIXEL',
      KH_RELEASE: '6.1.0',
      KH_MACHINE: 'aarch64',
      KH_ARCH: 'arm64',
      KH_WORKSPACE: '/kh/v1/workspaces/PIXEL/6.1.0',
      KH_HEADERS: '/kh/v1/workspaces/PIXEL/6.1.0/headers',
      KH_ARCHIVE_SHA256: '1'.repeat(64),
      KH_MD5: '0'.repeat(32),
      KH_VERIFIED: '1',
      KH_CHANGED: '1',
    });
  });

  it('has adb mean this device, whatever else the environment says', () => {
    const env = { ADB_SERVER_SOCKET: 'tcp:5037', ANDROID_SERIAL: 'OTHER' };
    expect(environment('PIXEL', {}, env)).toMatchObject({
      ANDROID_SERIAL: 'PIXEL',
      ANDROID_ADB_SERVER_PORT: '5038',
    });
    expect(environment('PIXEL', {}, env)).not.toHaveProperty('ADB_SERVER_SOCKET');
  });

  it('has no control characters in it that a device put there', () => {
    const hostile = environment('a\nb\u0000', { release: '6.1.0\u001b[2J' });
    expect(hostile).toMatchObject({ KH_SERIAL: 'a\\x0ab\\x00', KH_RELEASE: '6.1.0\\x1b[2J' });
    expect(hostile).not.toHaveProperty('ANDROID_SERIAL');
  });

  it('tells what is unverified, and what has not changed', () => {
    const verdict = { trust: 'unverified', checks: [] } as const;
    expect(environment('PIXEL', { verdict: { ...verdict, checks: [] }, changed: false })).toMatchObject({
      KH_VERIFIED: '0',
      KH_CHANGED: '0',
    });
  });
});
