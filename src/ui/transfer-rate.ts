import { humanBytes, humanDuration } from '../core/human';

/** Bytes of one transfer as they come in. */
export interface Transfer {
  bytes: number;
  totalBytes: number;
  /** When the first progress was seen, in the clock of the caller, in milliseconds. */
  startedAt: number;
  startedWith: number;
}

/** Folds one progress report into what is known of a transfer. */
export function advanceTransfer(
  before: Transfer | undefined,
  progress: { bytes: number; totalBytes: number },
  now: number,
): Transfer {
  const { bytes, totalBytes } = progress;
  if (before === undefined || bytes < before.bytes) {
    return { bytes, totalBytes, startedAt: now, startedWith: bytes };
  }
  return { ...before, bytes, totalBytes };
}

const SETTLED_AFTER = 500;

/**
 * "1.2 MB of 3.7 MB (32%), 5.1 MB/s, 1 s left". The total is left out where
 * the device did not tell it, rate and time left until they mean something.
 */
export function transferText(transfer: Transfer, now: number): string {
  const { bytes, totalBytes, startedAt, startedWith } = transfer;
  const parts = [
    totalBytes > 0
      ? `${humanBytes(bytes)} of ${humanBytes(totalBytes)} (${Math.floor((bytes / totalBytes) * 100)}%)`
      : humanBytes(bytes),
  ];
  const elapsed = now - startedAt;
  const rate = (bytes - startedWith) / (elapsed / 1000);
  if (elapsed >= SETTLED_AFTER && rate > 0) {
    parts.push(`${humanBytes(rate)}/s`);
    const left = (totalBytes - bytes) / rate;
    if (left > 0) parts.push(`${humanDuration(Math.ceil(left) * 1000)} left`);
  }
  return parts.join(', ');
}
