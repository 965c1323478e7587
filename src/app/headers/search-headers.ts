import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { HeadersIndex } from '../../archive/index/index-file';
import { globFilter } from '../../archive/search/globs';
import { linePattern } from '../../archive/search/line-pattern';
import type { SearchQuery, SearchResult } from '../../archive/search/search-index';
import type { Context } from '../context';

export type { FoundFile, SearchQuery, SearchResult } from '../../archive/search/search-index';
export type { FoundLine } from '../../archive/search/search-text';

/** What the searching thread is given. */
export interface SearchJob {
  /** Of the index. */
  path: string;
  query: SearchQuery;
}

/** Refuses a query that cannot be searched for, before anything is asked of a device. @throws KhError USAGE */
export function requireQuery(query: SearchQuery): void {
  linePattern(query.pattern, query);
  globFilter(query.globs);
}

/**
 * Searches the files of an archive, in a thread of its own: a regular
 * expression may take for ever, and nothing but the end of its thread stops it.
 *
 * @throws KhError STORE_IO; or the signal's reason
 */
export async function searchHeaders(
  { path }: HeadersIndex,
  query: SearchQuery,
  { signal, emit }: Pick<Context, 'signal' | 'emit'>,
): Promise<SearchResult> {
  const result = await inThread({ path, query }, signal);
  if (result.files.length === 0) {
    emit({ type: 'warning', message: `nothing matches in ${result.searched} files` });
  }
  return result;
}

function inThread(job: SearchJob, signal: AbortSignal): Promise<SearchResult> {
  signal.throwIfAborted();
  const worker = new Worker(join(__dirname, 'search-worker.js'), { workerData: job });
  return new Promise<SearchResult>((resolve, reject) => {
    const onAbort = () => {
      void worker.terminate();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => signal.removeEventListener('abort', onAbort));
  });
}
