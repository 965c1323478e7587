/** Bounds of one call. Every call on a device takes them. */
export interface CallOptions {
  signal: AbortSignal;
  /** Milliseconds without a byte after which the device counts as hung (default `TIME_LIMITS.stall`). */
  stallTimeout?: number;
  /** What the call is for, to follow "while" in messages: "asking which kernel runs". */
  purpose?: string;
  /** Milliseconds for the whole call; without it only `stallTimeout` and `signal` bound it. */
  timeout?: number;
}

/** What a command on the device gave. A non-zero exit is a result here, not an error. */
export interface CommandOutput {
  exitCode: number;
  stdout: Buffer;
  /** Empty where `merged`: such a device mixes it into stdout. */
  stderr: Buffer;
  /** True on devices without shell_v2, where one stream carries both outputs. */
  merged: boolean;
}

export interface RemoteStat {
  kind: 'file' | 'directory' | 'link' | 'other';
  /** Permission bits, as in `07777`. */
  mode: number;
  size: number;
}

/** What `adb root` came to. `restarting`: adbd is on its way down, and comes back under another transport id. */
export type RootReply = 'already-root' | 'restarting' | 'refused';

/**
 * One attached device, pinned: every service goes to the transport that was
 * chosen, so a device replugged in the meantime is `DEVICE_LOST` and never
 * another phone.
 *
 * All calls reject with KhError: DEVICE_LOST, DEVICE_OFFLINE,
 * DEVICE_UNAUTHORIZED, ADB_PROTOCOL, ADB_UNAVAILABLE, TIMEOUT; or with the
 * signal's reason. The serial is in each message.
 */
export interface AdbDevice {
  readonly serial: string;
  /** Undefined on adb servers before 41, where services are addressed by serial. */
  readonly transportId: string | undefined;
  /** The port that the cable is in; absent over TCP. */
  readonly devpath?: string | undefined;
  /** What the server and the device both speak: `shell_v2`, `stat_v2`, … */
  readonly features: ReadonlySet<string>;

  /** Runs a command line in the device's shell, and collects what it prints. */
  run(commandLine: string, options: CallOptions): Promise<CommandOutput>;

  /**
   * Streams the raw stdout of a command (`exec:`), binary-safe and with back
   * pressure. It carries no exit code: check size or digest of what came.
   */
  stream(commandLine: string, options: CallOptions): AsyncGenerator<Buffer, void, undefined>;

  /**
   * Follows links, but for devices without stat_v2, where moreover every
   * failure is REMOTE_NOT_FOUND with `details.certain: false`.
   * @throws KhError REMOTE_NOT_FOUND, REMOTE_DENIED, REMOTE_IO
   */
  stat(path: string, options: CallOptions): Promise<RemoteStat>;

  /**
   * Reads a file over sync RECV, with back pressure.
   * @throws KhError REMOTE_NOT_FOUND, REMOTE_DENIED, REMOTE_IO, also after data has flowed
   */
  receive(path: string, options: CallOptions): AsyncGenerator<Buffer, void, undefined>;

  /**
   * Writes a file over sync SEND, with back pressure: made or replaced.
   * adbd gives group and others the owner's bits of `mode`. A call that fails
   * may leave part of the file.
   * @throws KhError REMOTE_NOT_FOUND, REMOTE_DENIED, REMOTE_IO
   */
  send(
    path: string,
    mode: number,
    chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
    options: CallOptions,
  ): Promise<void>;

  /** Asks adbd to restart as root. */
  restartAsRoot(options: CallOptions): Promise<RootReply>;

  /** Settles when the transport is gone; rejects with the signal's reason. */
  untilDisconnected(signal: AbortSignal): Promise<void>;
}
