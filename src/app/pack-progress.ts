import type { Emit } from '../core/events';

/** Members between two reports. */
const STEP = 64;

/** Tells of an archive that is being made, once for every few members. */
export function packProgress(emit: Emit, archive: string, totalEntries: number): (entries: number) => void {
  return (entries) => {
    if (entries % STEP !== 0 && entries !== totalEntries) return;
    emit({ type: 'pack.progress', serial: archive, entries, totalEntries });
  };
}
