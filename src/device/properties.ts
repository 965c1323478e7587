import type { CallOptions } from '../adb/adb-device';
import { runWith, type Access } from './access';
import { script } from './script';

/** What a person knows a device by. */
export interface DeviceProperties {
  model?: string;
  product?: string;
  androidVersion?: string;
}

const PROPERTIES = {
  model: 'ro.product.model',
  product: 'ro.product.name',
  androidVersion: 'ro.build.version.release',
} as const satisfies Record<keyof DeviceProperties, string>;

/** Asks for all of them in one round trip; what the device does not say is left out. */
export async function readProperties(access: Access, options: CallOptions): Promise<DeviceProperties> {
  const questions = script(
    Object.fromEntries(Object.entries(PROPERTIES).map(([name, property]) => [name, `getprop ${property}`])),
  );
  const answers = questions.parse(
    (await runWith(access, questions.commandLine, { purpose: 'asking for its properties', ...options }))
      .stdout,
  );
  return Object.fromEntries(
    Object.keys(PROPERTIES).flatMap((name) => {
      const value = answers.get(name);
      return value ? [[name, value]] : [];
    }),
  );
}
