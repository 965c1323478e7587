import { parentPort, workerData } from 'node:worker_threads';
import { openIndex } from '../../archive/index/index-file';
import { searchIndex, type SearchQuery } from '../../archive/search/search-index';
import type { SearchJob } from './search-headers';

/** The thread that searches: see `headersSearch`. */
const query = workerData as SearchQuery;

parentPort?.on('message', ({ path, reply }: SearchJob) => {
  using index = openIndex(path);
  if (index === undefined) throw new Error(`${path} is damaged`);
  reply.postMessage(searchIndex(index, query));
});
