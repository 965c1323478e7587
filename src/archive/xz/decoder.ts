/** Runs of an .xz file go in, bytes come out; both ends wait for each other. */
export type Decoder = (input: AsyncIterable<Buffer>, options: DecoderOptions) => AsyncIterable<Buffer>;

export interface DecoderOptions {
  /** Bytes the decoder itself may use. */
  memoryLimit: number;
  signal: AbortSignal;
}

/** The one vocabulary for what liblzma, the xz command and xz-embedded each say in their own way. */
export type Fault = 'corrupt' | 'truncated' | 'format' | 'memory' | 'unsupported';

/** Why a decoder stopped; decode-xz.ts makes the KhError of it. */
export class DecoderFault extends Error {
  constructor(
    readonly fault: Fault,
    options?: ErrorOptions,
  ) {
    super(`xz: ${fault}`, options);
  }
}
