import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/assert.ts';
import type { ReadAheadSetup } from '../../log/embedded/read-ahead.ts';
import { readRuns } from '../../log/embedded/run-reader.ts';
import type { DecodeOrder } from '../dataflow.ts';
import { decodeAhead } from './decode-ahead.ts';

/** Reads a log ahead of a build, and decodes what the build will ask for. */

assert(parentPort !== null, 'the log is decoded ahead by a worker thread');
const { order, ...setup } = workerData as ReadAheadSetup;
readRuns(parentPort, setup, decodeAhead(order as DecodeOrder, setup.shared));
