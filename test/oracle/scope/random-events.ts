import type { SqlType } from '../../../src/core/sql-type.ts';
import { mutated } from '../../fuzz/byte-mutation.ts';
import { jsonOf } from '../../fuzz/random-json.ts';
import type { Random } from '../generator/random.ts';
import { type ScopeSource, SOURCES } from './sources.ts';

/** What happens to the log: a record of a topic, or the clock alone (`topic: null`). Plain data. */
export interface ScopeEvent {
  readonly topic: string | null;
  readonly key: Raw;
  readonly value: Raw;
  /** event time, ms */
  readonly time: number;
  /** append time, ms */
  readonly clock: number;
}

/** Bytes: as text where they are UTF-8, so that cases can be read. */
export type Raw = string | { readonly hex: string } | null;

const utf8 = new TextEncoder();

export function rawBytes(raw: Raw): Uint8Array | null {
  if (raw === null) return null;
  return typeof raw === 'string' ? utf8.encode(raw) : Uint8Array.from(Buffer.from(raw.hex, 'hex'));
}

export function rawOf(bytes: Uint8Array): Raw {
  const text = Buffer.from(bytes).toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : { hex: Buffer.from(bytes).toString('hex') };
}

/**
 * A history of the sources' topics: few different keys and values, so that rows meet; NULLs, tombstones, records without
 * key, damaged ones; event time that goes back and forth, and a clock that sometimes jumps.
 */
export function randomEvents(
  random: Random,
  topics: ReadonlySet<string>,
  most: number,
): readonly ScopeEvent[] {
  const sources = SOURCES.filter(s => topics.has(s.name)).flatMap(s =>
    Array.from({ length: s.weight }, () => s),
  );
  const gone = random.of([0.03, 0.03, 0.25]);
  const odd = random.of([0, 0.02, 0.1]);
  const steady = random.chance(0.04);
  const wanted = steady ? random.int(300, 500) : random.of([3, 8, 20, 40, 40, 80, 150]);
  let time = 5000;
  let clock = 1000;
  return Array.from({ length: Math.min(most, wanted) }, (): ScopeEvent => {
    time = Math.max(0, time + random.of([0, 0, 100, 300, 500, 1000, 1000, -700, -3000, 4000]));
    if (random.chance(0.02)) time = Math.max(0, time + random.of([-8000, 20_000]));
    clock += random.of([0, 0, 1, 500, 500, 3000, random.chance(0.1) ? 43_200_000 : 0]);
    // where rows enter and leave
    if (random.chance(0.6)) clock = Math.ceil(clock / 500) * 500;
    if (sources.length === 0 || random.chance(0.06))
      return { topic: null, key: null, value: null, time, clock };
    const source = random.of(sources);
    return {
      topic: source.name,
      key: random.chance(0.04) ? null : recordKey(random, source),
      value: random.chance(gone) ? null : recordValue(random, source, { odd, steady, clock }),
      time,
      clock,
    };
  });
}

function recordKey(random: Random, source: ScopeSource): Raw {
  const [first] = source.keys;
  if (first === undefined) return random.of(['x', 'y', '']);
  if (source.keys.length > 1) {
    return `{${source.keys.map(c => `"${c.name}":${cell(random, c.type)}`).join(',')}}`;
  }
  if (source.keyFormat === 'JSON') return cell(random, first.type);
  if (first.type.kind === 'STRING') return random.of(['k1', 'k1', 'k2', 'k3', 'a', 'é', '', '12']);
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(random.of([0, 1, 1, 2, 3, -1, 2147483647]));
  return random.chance(0.03) ? { hex: 'ff' } : rawOf(bytes);
}

/** `odd`: how much of it is not as declared; `steady`: all fields in one order, for which decoders make code of their own */
interface Manner {
  readonly odd: number;
  readonly steady: boolean;
  /** when it is appended: moments just ahead of it are where rows enter and leave */
  readonly clock: number;
}

function recordValue(random: Random, source: ScopeSource, manner: Manner): Raw {
  const text =
    source.valueFormat === 'DELIMITED' ? delimited(random, source) : object(random, source, manner);
  const { odd } = manner;
  return random.chance(odd / 3) ? rawOf(mutated(random, utf8.encode(text))) : text;
}

function delimited(random: Random, source: ScopeSource): string {
  const cells = source.values.map(c => {
    if (random.chance(0.1)) return '';
    const json = cell(random, c.type);
    return json === 'null' ? '' : json.replaceAll('"', '');
  });
  return cells.join(',');
}

function object(random: Random, source: ScopeSource, { odd, steady, clock }: Manner): string {
  if (random.chance(odd / 4)) return random.of(['null', '[1]', '{"i":', '""', '{}']);
  const fields = source.values
    .filter(() => steady || !random.chance(0.15))
    .map(c => `"${c.name}":${random.chance(odd) ? jsonOf(random, c.type, 2) : ahead(random, c.type, clock)}`);
  return `{${(steady || random.chance(0.8) ? fields : random.shuffled(fields)).join(',')}}`;
}

function ahead(random: Random, type: SqlType, clock: number): string {
  if (type.kind !== 'TIMESTAMP' || random.chance(0.4)) return cell(random, type);
  return String(Math.ceil(clock / 500) * 500 + random.of([0, 0, 500, 500, 1000, 3000, 3_600_000]));
}

/** A JSON value out of few. */
function cell(random: Random, type: SqlType): string {
  if (random.chance(0.08)) return 'null';
  switch (type.kind) {
    case 'INT':
      return random.of(['0', '1', '1', '2', '2', '3', '5', '-1', '10', '2147483647']);
    case 'BIGINT':
      return random.of(['0', '1', '2', '4000', '9000', '9007199254740993', '9223372036854775807', '-5']);
    case 'DECIMAL':
      return random.of(['0', '1.5', '1.50', '2', '-0.05', '99.99', '10', '"2.5"', '1e1']);
    case 'DOUBLE':
      return random.of(['0', '-0.0', '1', '0.1', '2.5', '1e300', '-1.5', '0.2', '1e-7']);
    case 'STRING':
      return random.of(['"a"', '"b"', '"k1"', '"k2"', '"A"', '""', '"é"', '"12"', '"x y"', '"\\u0061"', '7']);
    case 'BOOLEAN':
      return random.of(['true', 'false']);
    case 'BYTES':
      return random.of(['"IQ=="', '""', '"AAEC"']);
    case 'DATE':
      return random.of(['0', '1', '2', '20541', '"1970-01-02"']);
    case 'TIME':
      return random.of(['0', '1000', '86399999']);
    case 'TIMESTAMP':
      return random.of(['0', '1000', '4000', '6500', '9000', '12000', '15000', '43200000', '1774745999999']);
    case 'ARRAY':
      return `[${Array.from({ length: random.of([0, 1, 2, 3]) }, () => cell(random, type.element)).join(',')}]`;
    case 'MAP':
      return random.of(['{}', '{"a":1}', '{"a":2,"b":null}', '{"b":1,"a":1}', '{"k1":3}']);
    case 'STRUCT':
      return random.of(['{}', '{"A":1,"C":"a"}', '{"a":2}', '{"C":null,"A":1}', '{"c":"k1"}']);
  }
}
