import { recordsOfTopic } from '../../core/log-record.ts';
import type { Schema } from '../../core/schema.ts';
import { createBlockDecoder } from '../../decode/columns/block-decoder.ts';
import { headOf, SharedColumnMemory, SharedSpace, shareRows } from '../../decode/columns/shared-rows.ts';
import { timestampParsers } from '../../decode/timestamp-format.ts';
import type { Beside } from '../../log/embedded/run-reader.ts';
import type { DecodeOrder } from '../dataflow.ts';

/** runs that were decoded for nothing, more than the others, before it is given up */
const FOR_NOTHING = 8;

/** Decodes runs of a log beside the thread that computes with them, as far as plain columns can say what is in them. */
export function decodeAhead({ source, columns, zone }: DecodeOrder, shared: SharedArrayBuffer): Beside {
  const space = new SharedSpace(shared);
  const schema: Schema = { columns, key: [], windowed: false };
  const decoder = createBlockDecoder(
    { source, schema, timestampParser: timestampParsers(zone) },
    () => new SharedColumnMemory(space),
  );
  let indices = new Int32Array(0);
  let forNothing = 0;
  return (run, room) => {
    if (forNothing > FOR_NOTHING) return false;
    space.begin(room);
    const at = space.take(headOf(columns.length));
    if (at === null) return false;
    if (indices.length < run.n) indices = new Int32Array(run.n);
    const count = recordsOfTopic(run, source.topic, indices);
    const shares = shareRows(space, at, decoder.decode(run, indices, count));
    forNothing = Math.max(0, forNothing + (shares ? -1 : 1));
    return shares;
  };
}
