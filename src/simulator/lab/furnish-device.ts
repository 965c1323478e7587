import { directory, FileSystem, link, ROOT_UID, SHELL_UID, systemFile, type Node } from '../file-system';
import { appletNames } from '../shell/applets';
import { SimulatedDevice, type DeviceParts, type Kernel } from '../simulated-device';
import { makeKernelImage } from './kernel-image';
import type { LabArchives } from './lab-archives';
import type { DeviceDescription, FileDescription } from './lab-description';

/** Makes a device of its description: one, as clones are described one by one. @param number its place on the bus */
export async function furnishDevice(
  description: DeviceDescription,
  number: number,
  archives: LabArchives,
): Promise<SimulatedDevice> {
  const image = await makeKernelImage(description, archives);
  const device = new SimulatedDevice({
    description: withDefaults(description, number),
    image,
    properties: new Map(Object.entries(propertiesOf(description, image.kernel))),
    files: new FileSystem(),
  });
  installSystem(device);
  for (const [path, file] of Object.entries(description.files ?? {})) {
    if (file === null) device.files.uninstall(path);
    else device.files.install(path, await fileNode(file, archives));
  }
  return device;
}

function withDefaults(description: DeviceDescription, number: number): DeviceParts['description'] {
  const { connection = 'usb', sdk = 34 } = description;
  return {
    state: 'device',
    user: 'shell',
    adbRoot: 'refused',
    su: 'none',
    md5sum: true,
    features: featuresOf(sdk),
    ...description,
    sdk,
    connection,
    devpath: connection === 'usb' ? `usb:1-${number + 1}` : undefined,
  };
}

/** What adbd of an API level speaks, of the things that are simulated. */
function featuresOf(sdk: number): string[] {
  return [
    ...(sdk >= 24 ? ['cmd', 'shell_v2'] : []),
    ...(sdk >= 26 ? ['stat_v2'] : []),
    ...(sdk >= 29 ? ['fixed_push_mkdir', 'apex'] : []),
  ];
}

function propertiesOf(description: DeviceDescription, kernel: Kernel): Record<string, string> {
  const {
    serial,
    model = 'Simulated Phone',
    product = 'simulated',
    device = product,
    android = '14',
    sdk = 34,
    serialno = serial,
    adbRoot,
    user,
  } = description;
  const debuggable = adbRoot === 'allowed' || user === 'root';
  const type = debuggable ? 'userdebug' : 'user';
  return {
    'ro.serialno': serialno,
    'ro.boot.serialno': serialno,
    'ro.product.model': model,
    'ro.product.name': product,
    'ro.product.device': device,
    'ro.product.manufacturer': 'kh',
    'ro.product.cpu.abi': kernel.machine === 'x86_64' ? 'x86_64' : 'arm64-v8a',
    'ro.build.version.release': android,
    'ro.build.version.sdk': String(sdk),
    'ro.build.type': type,
    'ro.build.fingerprint': `kh/${product}/${device}:${android}/SIM1.240101.001/1:${type}/dev-keys`,
    'ro.debuggable': debuggable ? '1' : '0',
    'ro.secure': '1',
    'ro.boot.slot_suffix': '_a',
    'sys.boot_completed': '1',
    ...description.properties,
  };
}

/** What every Android device has, as far as kh and people at a demo look at it. */
function installSystem(device: SimulatedDevice): void {
  const { files } = device;
  const text = (make: () => string) => systemFile(() => Buffer.from(make()));
  files.install(
    '/proc/modules',
    text(() => device.modules.table()),
  );
  files.install(
    '/proc/version',
    text(() => `Linux version ${device.kernel.release} (kh@simulator) ${device.kernel.version}\n`),
  );
  files.install(
    '/proc/sys/kernel/random/boot_id',
    text(() => `${device.bootId}\n`),
  );
  files.install(
    '/proc/sys/kernel/osrelease',
    text(() => `${device.kernel.release}\n`),
  );
  files.install(
    '/proc/uptime',
    text(() => '1234.56 4321.00\n'),
  );
  files.install('/dev/null', systemFile(Buffer.alloc(0), { mode: 0o666 }));
  files.install('/data', directory({ mode: 0o771 }));
  files.install('/data/local', directory({ mode: 0o771 }));
  files.install('/data/local/tmp', directory({ mode: 0o771, uid: SHELL_UID }));
  files.install('/sdcard', directory({ mode: 0o777, uid: SHELL_UID }));
  files.install('/bin', link('/system/bin'));
  files.addPassing('/proc', () =>
    device.processes().map(([pid, process]) => [String(pid), processFolder(process)]),
  );
  const command = systemFile(Buffer.alloc(0), { mode: 0o755 });
  files.addPassing('/system/bin', () => appletNames(device).map((name) => [name, command]));
}

function processFolder({ uid, paths }: { uid: number; paths: string[] }): Node {
  const fd = directory({ mode: 0o500, uid });
  for (const [index, path] of paths.entries()) fd.entries.set(String(index + 3), link(path));
  return directory({ mode: 0o555, uid, entries: new Map([['fd', fd]]) });
}

async function fileNode(file: string | FileDescription, archives: LabArchives): Promise<Node> {
  if (typeof file === 'string') return systemFile(Buffer.from(file), { mode: 0o644 });
  const { mode, owner = 'root', denied = false } = file;
  const common = {
    uid: owner === 'shell' ? SHELL_UID : ROOT_UID,
    denied,
    ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
  };
  if (file.link !== undefined) return link(file.link);
  if (file.directory) return directory(common);
  const content =
    file.from !== undefined
      ? await archives.read(file.from)
      : Buffer.from(file.base64 ?? file.text ?? '', file.base64 === undefined ? 'utf8' : 'base64');
  return systemFile(content, { mode: 0o644, ...common });
}
