import { parentPort, workerData } from 'node:worker_threads';
import { openIndex } from '../../archive/index/index-file';
import { searchIndex } from '../../archive/search/search-index';
import type { SearchJob } from './search-headers';

/** The thread that searches: see `searchHeaders`. */
const { path, query } = workerData as SearchJob;
using index = openIndex(path);
if (index === undefined) throw new Error(`${path} is damaged`);
parentPort?.postMessage(searchIndex(index, query));
