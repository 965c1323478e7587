import type { Emit } from '../../core/events';

/** What is smaller has been searched before anyone wonders. */
const LARGE = 128 << 20;
const STEP = 16 << 20;

/**
 * Tells how far the search of a large image is, now and then; of a small one, nothing.
 *
 * @param image its name
 * @param totalBytes of it
 */
export function searchProgress(image: string, totalBytes: number, emit: Emit) {
  const startedAt = performance.now();
  let told = -STEP;
  const reached = (bytes: number) => {
    if (totalBytes < LARGE || bytes < told + STEP) return;
    told = bytes;
    emit({ type: 'image.searching', serial: image, bytes, totalBytes });
  };
  const end = () => {
    if (totalBytes < LARGE) return;
    const milliseconds = performance.now() - startedAt;
    emit({ type: 'image.searched', serial: image, bytes: totalBytes, milliseconds });
  };
  return { reached, end };
}
