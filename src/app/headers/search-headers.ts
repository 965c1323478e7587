import { once } from 'node:events';
import { join } from 'node:path';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { globFilter } from '../../archive/search/globs';
import { linePattern } from '../../archive/search/line-pattern';
import type { SearchQuery, SearchResult } from '../../archive/search/search-index';
import type { Look } from './headers-index';

export type { FoundFile, SearchQuery, SearchResult } from '../../archive/search/search-index';
export type { FoundLine } from '../../archive/search/search-text';

/** What the searching thread is asked. */
export interface SearchJob {
  /** Of the index. */
  path: string;
  /** Where the result goes. */
  reply: MessagePort;
}

/**
 * Searches the files of archives, in a thread of its own: a regular expression
 * may take for ever, and nothing but the end of its thread stops it. The thread
 * starts at once, while an index is being looked for or made.
 *
 * @returns what searches an index: it throws KhError STORE_IO, or the signal's reason
 * @throws KhError USAGE for a query that cannot be searched for
 */
export function headersSearch(query: SearchQuery): Look<SearchResult> {
  linePattern(query.pattern, query);
  globFilter(query.globs);
  const thread = searchThread(query);
  return async ({ path, release }, { signal, emit }) => {
    const result = await thread.search(path, signal);
    if (result.files.length === 0) {
      emit({ type: 'warning', message: nothingFound(result.searched, release || 'the archive') });
    }
    return result;
  };
}

function nothingFound(searched: number, archive: string): string {
  if (searched === 0) return `no file of ${archive} has a name that the globs take`;
  return `nothing matches in ${searched} files of ${archive}`;
}

/** A thread that looks for one thing, in any number of indexes; it keeps no process from ending. */
function searchThread(query: SearchQuery) {
  const worker = new Worker(join(__dirname, 'search-worker.js'), { workerData: query });
  worker.unref();
  const failed = once(worker, 'error').then(([error]) => {
    throw error;
  });

  async function search(path: string, signal: AbortSignal): Promise<SearchResult> {
    signal.throwIfAborted();
    const stop = () => void worker.terminate();
    signal.addEventListener('abort', stop, { once: true });
    const { port1, port2 } = new MessageChannel();
    try {
      worker.postMessage({ path, reply: port2 } satisfies SearchJob, [port2]);
      const [result] = (await Promise.race([once(port1, 'message', { signal }), failed])) as [SearchResult];
      return result;
    } finally {
      port1.close();
      signal.removeEventListener('abort', stop);
      signal.throwIfAborted();
    }
  }

  return { search };
}
