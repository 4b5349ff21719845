import { recordAt } from '../../src/core/log-record.ts';
import { valueAt } from '../../src/core/vec.ts';
import { createBlockDecoder } from '../../src/decode/columns/block-decoder.ts';
import { createRowDecoder } from '../../src/decode/row-decoder.ts';
import { timestampParsers } from '../../src/decode/timestamp-format.ts';
import { blockOf } from '../../src/log/record-block.ts';
import type { Random } from '../oracle/generator/random.ts';
import { exactText } from '../oracle/scope/exact-text.ts';
import { randomRecord, steadyRecord } from './random-record.ts';
import { randomSchema, randomSource } from './random-source.ts';

const timestampParser = timestampParsers('Europe/Berlin');

/** One source, a block of its records and several sets of columns, as views of one topic need them. */
export function decodedAlike(random: Random): { readonly problem: string | null; readonly records: number } {
  const source = randomSource(random);
  const steady = random.chance(0.04);
  const raws = Array.from({ length: steady ? random.of([300, 700]) : random.of([1, 5, 40, 70]) }, () =>
    steady && random.chance(0.97) ? steadyRecord(random, source) : randomRecord(random, source),
  );
  const block = blockOf(
    raws.map((raw, i) => ({
      seq: i,
      topic: 's',
      partition: i % 3,
      offset: i,
      timestamp: 1000 + i,
      appendTime: 0,
      ...raw,
    })),
  );
  const records = Int32Array.from(raws.keys()).filter(i => i === 0 || random.chance(0.9));
  for (let n = random.int(1, 3); n > 0; n--) {
    const options = { source, schema: randomSchema(random, source), timestampParser };
    const { columns } = options.schema;
    const decodeRow = createRowDecoder(options);
    const expected = [...records].map(i => {
      const row = decodeRow(recordAt(block, i));
      return row.ok
        ? `${i} ${exactText(row.row)} @${row.rowtime} ${row.noValue}`
        : `${i} ${row.reason} ${row.message}`;
    });
    const decoder = createBlockDecoder(options);
    // a decoder is used again and again: nothing of the first time may be left
    for (let time = 0; time < 2; time++) {
      const decoded = decoder.decode(block, records, records.length);
      const actual = decoded.failures.map(f => `${f.record} ${f.reason} ${f.message}`);
      for (let r = 0; r < decoded.n; r++) {
        const row = columns.map((c, at) => valueAt(decoded.cols[at] as never, c.type, r));
        const noValue = ((decoded.noValue?.[r >>> 5] ?? 0) >>> (r & 31)) & 1;
        actual.push(`${decoded.record[r]} ${exactText(row)} @${decoded.rowtime[r]} ${noValue === 1}`);
      }
      const shown = `${JSON.stringify(source)}\n${columns.map(c => c.name)}\n${raws.map(r => new TextDecoder().decode(r.value ?? undefined)).join('\n')}`;
      const found = difference(expected.sort(), actual.sort());
      if (found !== null) return { problem: `${found}\n${shown}`, records: raws.length };
    }
  }
  return { problem: null, records: raws.length };
}

function difference(rows: readonly string[], blocks: readonly string[]): string | null {
  const at = rows.findIndex((text, i) => text !== blocks[i]);
  if (at < 0 && rows.length === blocks.length) return null;
  return `row decoder:   ${rows[at]}\nblock decoder: ${blocks[at < 0 ? rows.length : at]}`;
}
