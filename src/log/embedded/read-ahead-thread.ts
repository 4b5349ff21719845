import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/assert.ts';
import type { ReadAheadSetup } from './read-ahead.ts';
import { readRuns } from './run-reader.ts';

/** Reads ahead, and nothing else. */

assert(parentPort !== null, 'the log is read ahead by a worker thread');
readRuns(parentPort, workerData as ReadAheadSetup);
