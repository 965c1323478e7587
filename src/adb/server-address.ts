/** Where an adb server listens. */
export type AdbServerAddress = { kind: 'tcp'; host: string; port: number } | { kind: 'local'; path: string };
