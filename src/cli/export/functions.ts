import type { Expression } from '../../sql/ast.ts';
import { type Dialect, millisecondsText, stringText } from './dialect.ts';
import { patternText } from './patterns.ts';

export interface CallParts {
  /** arguments as they stand between commas */
  readonly args: readonly string[];
  /** arguments as they stand beside an operator */
  readonly operands: readonly string[];
  readonly written: readonly Expression[];
  readonly strict: boolean;
  /** an aggregate of these arguments, with the FILTER of the call */
  aggregate(name: string, args: string): string;
}

/** The call in the other dialect; null where it has none. A text is the name of a function with the same arguments. */
type Form = string | ((call: CallParts) => string | null);
type Forms = Partial<Record<Dialect, Form>>;

const all = (form: Form): Forms => ({ flink: form, postgres: form, duckdb: form });
const forms = (duckdb: Form, postgres: Form, flink: Form): Forms => ({ duckdb, postgres, flink });
const none: Form = () => null;

/** The text of a literal argument. */
function literal(e: Expression | undefined): string | null {
  return e?.kind === 'string' ? e.value : null;
}

const orZero =
  (name: string): Form =>
  ({ aggregate, args, strict }) => {
    if (args.length !== 1) return null;
    const value = aggregate(name, args[0] ?? '');
    return strict ? `COALESCE(${value}, 0)` : value;
  };

/** LATEST_BY_OFFSET and EARLIEST_BY_OFFSET of one column. */
function byOffset(latest: boolean): Forms {
  const single =
    (form: (x: string, call: CallParts) => string): Form =>
    call =>
      call.args.length === 1 ? form(call.args[0] ?? '', call) : null;
  return forms(
    single((x, call) => call.aggregate(latest ? 'arg_max' : 'arg_min', `${x}, rowoffset`)),
    single(
      (x, call) =>
        `(array_remove(${call.aggregate('array_agg', `${x} ORDER BY rowoffset${latest ? ' DESC' : ''}`)}, NULL))[1]`,
    ),
    single((x, call) => call.aggregate(latest ? 'LAST_VALUE' : 'FIRST_VALUE', x)),
  );
}

/** DATEADD and its like: x and a number of units. */
function moved(sign: '+' | '-', cast: string | null): Forms {
  const shifted: Form = ({ operands: [unit, n, x], args }) => {
    if (args.length !== 3) return null;
    const text = `${x} ${sign} ${n} * INTERVAL '1 ${unit}'`;
    return cast === null ? `(${text})` : `CAST(${text} AS ${cast})`;
  };
  return forms(shifted, shifted, ({ args: [unit, , x], operands: [, n], args }) =>
    args.length === 3 ? `TIMESTAMPADD(${unit}, ${sign === '-' ? '-' : ''}${n}, ${x})` : null,
  );
}

function formatted(duckdb: string, postgres: string, flink: string, cast: string | null): Forms {
  const form =
    (name: string, dialect: Dialect): Form =>
    ({ args, written }) => {
      const pattern = literal(written[1]);
      const there = pattern === null ? null : patternText(pattern, dialect);
      if (args.length !== 2 || there === null) return null;
      const text = `${name}(${args[0]}, ${stringText(there)})`;
      return cast === null || dialect === 'flink' ? text : `CAST(${text} AS ${cast})`;
    };
  return forms(form(duckdb, 'duckdb'), form(postgres, 'postgres'), form(flink, 'flink'));
}

const lambdaOf = (name: string): Forms => ({ duckdb: name });
const unixDate = (x: string | undefined) => x ?? 'CURRENT_DATE';
const upper: Forms = all('UPPER');
const lower: Forms = all('LOWER');
const ceil: Forms = all('CEIL');

/** By upper-case name; those that mean the same everywhere are in `SAME`. */
const FUNCTIONS: Readonly<Record<string, Forms>> = {
  // aggregates
  SUM: all(orZero('SUM')),
  AVG: all(orZero('AVG')),
  COUNT_DISTINCT: all(({ aggregate, args }) => aggregate('COUNT', `DISTINCT ${args.join(', ')}`)),
  STDDEV_SAMP: all(({ strict, ...call }) =>
    orZeroOf(strict ? 'VAR_SAMP' : 'STDDEV_SAMP', { strict, ...call }),
  ),
  STDDEV_SAMPLE: all(orZero('STDDEV_SAMP')),
  VARIANCE: all('VAR_SAMP'),
  BOOL_AND: { duckdb: 'bool_and', postgres: 'bool_and' },
  EVERY: { duckdb: 'bool_and', postgres: 'bool_and' },
  BOOL_OR: { duckdb: 'bool_or', postgres: 'bool_or' },
  LATEST_BY_OFFSET: byOffset(true),
  EARLIEST_BY_OFFSET: byOffset(false),
  COLLECT_LIST: forms(
    ({ aggregate, args: [x] }) => aggregate('list', `${x} ORDER BY rowoffset`),
    ({ aggregate, args: [x] }) => aggregate('array_agg', `${x} ORDER BY rowoffset`),
    ({ aggregate, args: [x] }) => aggregate('ARRAY_AGG', `${x}`),
  ),
  COLLECT_SET: forms(
    ({ aggregate, args: [x] }) => aggregate('list', `DISTINCT ${x}`),
    ({ aggregate, args: [x] }) => aggregate('array_agg', `DISTINCT ${x}`),
    ({ aggregate, args: [x] }) => aggregate('ARRAY_AGG', `DISTINCT ${x}`),
  ),
  TOPK: forms(
    ({ aggregate, args }) => (args.length === 2 ? aggregate('max', args.join(', ')) : null),
    ({ aggregate, args: [x, k], args }) =>
      args.length === 2
        ? `(array_remove(${aggregate('array_agg', `${x} ORDER BY ${x} DESC`)}, NULL))[1:${k}]`
        : null,
    none,
  ),
  HISTOGRAM: forms('histogram', none, none),
  STRING_AGG: forms('string_agg', 'string_agg', 'LISTAGG'),
  MEDIAN: forms('median', ({ args: [x] }) => `percentile_cont(0.5) WITHIN GROUP (ORDER BY ${x})`, none),
  PERCENTILE_CONT: forms('percentile_cont', 'percentile_cont', none),
  PERCENTILE_DISC: forms('percentile_disc', 'percentile_disc', none),
  MODE: forms('mode', 'mode', none),
  // text
  UCASE: upper,
  UPPER: upper,
  LCASE: lower,
  LOWER: lower,
  LEN: forms('length', 'length', 'CHAR_LENGTH'),
  LENGTH: forms('length', 'length', 'CHAR_LENGTH'),
  CONCAT: {
    duckdb: 'concat',
    postgres: 'concat',
    flink: ({ args }) => `CONCAT(${args.map(a => `COALESCE(${a}, '')`).join(', ')})`,
  },
  IFNULL: all('COALESCE'),
  INITCAP: forms(none, 'INITCAP', 'INITCAP'),
  INSTR: forms(two('instr'), two('strpos'), 'INSTR'),
  STRPOS: forms('strpos', 'strpos', 'INSTR'),
  SUBSTRING: all('SUBSTR'),
  SUBSTR: all('SUBSTR'),
  STARTS_WITH: forms('starts_with', 'starts_with', 'STARTSWITH'),
  OCTET_LENGTH: forms('strlen', 'octet_length', none),
  SPLIT: forms('string_split', 'string_to_array', 'SPLIT'),
  SPLIT_PART: forms('split_part', 'split_part', ({ args: [s, d], operands: [, , n] }) =>
    n === undefined ? null : `SPLIT_INDEX(${s}, ${d}, ${n} - 1)`,
  ),
  REGEXP_REPLACE: forms(
    ({ args }) => `regexp_replace(${args.join(', ')}, 'g')`,
    ({ args }) => `regexp_replace(${args.join(', ')}, 'g')`,
    'REGEXP_REPLACE',
  ),
  // the pattern comes first in KSQL
  REGEXP_EXTRACT: forms(
    ({ args: [p, s, ...g] }) => `NULLIF(regexp_extract(${[s, p, ...g].join(', ')}), '')`,
    ({ args: [p, s], args }) => (args.length === 2 ? `regexp_substr(${s}, ${p})` : null),
    ({ args: [p, s, ...g] }) => `REGEXP_EXTRACT(${[s, p, ...g].join(', ')})`,
  ),
  UUID: forms('uuid', 'gen_random_uuid', 'UUID'),
  TO_CHAR: forms(none, 'to_char', none),
  EXTRACTJSONFIELD: forms(
    'json_extract_string',
    ({ args: [s, p], args }) =>
      args.length === 2 ? `(jsonb_path_query_first(CAST(${s} AS JSONB), ${p}) #>> '{}')` : null,
    'JSON_VALUE',
  ),
  TO_JSON_STRING: forms(
    ({ args: [x] }) => `CAST(to_json(${x}) AS VARCHAR)`,
    ({ args: [x] }) => `CAST(to_jsonb(${x}) AS TEXT)`,
    'JSON_STRING',
  ),
  // arrays and maps
  ARRAY_LENGTH: forms('len', 'cardinality', 'CARDINALITY'),
  ARRAY_CONTAINS: forms(
    'list_contains',
    ({ args: [a], operands: [, x] }) => `(${x} = ANY (${a}))`,
    'ARRAY_CONTAINS',
  ),
  ARRAY_JOIN: forms(
    ({ args: [a, d] }) => `array_to_string(${a}, ${d ?? "','"})`,
    ({ args: [a, d] }) => `array_to_string(${a}, ${d ?? "','"}, 'null')`,
    ({ args: [a, d] }) => `ARRAY_JOIN(${a}, ${d ?? "','"}, 'null')`,
  ),
  ARRAY_MAX: forms('list_max', none, 'ARRAY_MAX'),
  ARRAY_MIN: forms('list_min', none, 'ARRAY_MIN'),
  ARRAY_CONCAT: forms('list_concat', 'array_cat', 'ARRAY_CONCAT'),
  ARRAY_DISTINCT: forms('list_distinct', none, 'ARRAY_DISTINCT'),
  ARRAY_INTERSECT: forms('list_intersect', none, 'ARRAY_INTERSECT'),
  ARRAY_UNION: forms(({ args }) => `list_distinct(list_concat(${args.join(', ')}))`, none, 'ARRAY_UNION'),
  ARRAY_EXCEPT: forms(none, none, 'ARRAY_EXCEPT'),
  ARRAY_REMOVE: forms(none, 'array_remove', 'ARRAY_REMOVE'),
  SLICE: forms('list_slice', ({ operands: [a], args: [, f, t] }) => `(${a})[${f}:${t}]`, 'ARRAY_SLICE'),
  MAP_KEYS: forms('map_keys', none, 'MAP_KEYS'),
  MAP_VALUES: forms('map_values', none, 'MAP_VALUES'),
  MAP_UNION: forms('map_concat', none, 'MAP_UNION'),
  AS_MAP: forms('map', none, 'MAP_FROM_ARRAYS'),
  AS_VALUE: all(({ args: [x] }) => x ?? null),
  EXPLODE: forms('unnest', 'unnest', none),
  UNNEST: forms('unnest', 'unnest', none),
  GENERATE_SERIES: forms(
    'generate_series',
    ({ args }) => `ARRAY(SELECT generate_series(${args.join(', ')}))`,
    none,
  ),
  SERIES: forms(({ args }) => `unnest(generate_series(${args.join(', ')}))`, 'generate_series', none),
  TRANSFORM: lambdaOf('list_transform'),
  FILTER: lambdaOf('list_filter'),
  REDUCE: { duckdb: ({ args: [a, init, f] }) => `list_reduce(${a}, ${f}, ${init})` },
  // dates and times
  UNIX_DATE: forms(
    ({ args: [x] }) => `date_diff('day', DATE '1970-01-01', ${unixDate(x)})`,
    ({ operands: [x] }) => `(${unixDate(x)} - DATE '1970-01-01')`,
    ({ args: [x] }) => `TIMESTAMPDIFF(DAY, DATE '1970-01-01', ${unixDate(x)})`,
  ),
  UNIX_TIMESTAMP: forms(ms('duckdb'), ms('postgres'), ms('flink')),
  FROM_DAYS: forms(
    ({ args: [n] }) => `(DATE '1970-01-01' + CAST(${n} AS INTEGER))`,
    ({ args: [n] }) => `(DATE '1970-01-01' + CAST(${n} AS INTEGER))`,
    ({ args: [n] }) => `TIMESTAMPADD(DAY, ${n}, DATE '1970-01-01')`,
  ),
  FROM_UNIXTIME: forms(
    'make_timestamp_ms',
    ({ operands: [n] }) => `(TIMESTAMP '1970-01-01' + ${n} * INTERVAL '1 millisecond')`,
    ({ args: [n] }) => `TO_TIMESTAMP_LTZ(${n}, 3)`,
  ),
  DAYS_BETWEEN: forms(
    ({ args: [a, b] }) => `date_diff('day', ${b}, ${a})`,
    ({ operands: [a, b] }) => `(${a} - ${b})`,
    ({ args: [a, b] }) => `TIMESTAMPDIFF(DAY, ${b}, ${a})`,
  ),
  DATEADD: moved('+', 'DATE'),
  DATESUB: moved('-', 'DATE'),
  TIMESTAMPADD: moved('+', null),
  TIMESTAMPSUB: moved('-', null),
  TIMEADD: moved('+', null),
  TIMESUB: moved('-', null),
  DATE_TRUNC: forms('date_trunc', 'date_trunc', ({ args, written }) => {
    const unit = literal(written[0]);
    return args.length === 2 && unit !== null && /^\w+$/.test(unit)
      ? `FLOOR(${args[1]} TO ${unit.toUpperCase()})`
      : null;
  }),
  FORMAT_DATE: formatted('strftime', 'to_char', 'DATE_FORMAT', null),
  FORMAT_TIMESTAMP: formatted('strftime', 'to_char', 'DATE_FORMAT', null),
  PARSE_DATE: formatted('strptime', 'to_date', 'TO_DATE', 'DATE'),
  PARSE_TIMESTAMP: formatted('strptime', 'to_timestamp', 'TO_TIMESTAMP', 'TIMESTAMP'),
  NOW: all(() => 'CURRENT_TIMESTAMP'),
  // numbers
  CEIL: ceil,
  CEILING: ceil,
  LOG: forms('log', 'log', ({ args }) =>
    args.length === 1 ? `LOG10(${args[0]})` : `LOG(${args.join(', ')})`,
  ),
  TRUNC: forms('trunc', 'trunc', 'TRUNCATE'),
  RANDOM: forms('random', 'random', 'RAND'),
  LEAST: { duckdb: 'LEAST', postgres: 'LEAST' },
  GREATEST: { duckdb: 'GREATEST', postgres: 'GREATEST' },
};

function two(name: string): Form {
  return ({ args }) => (args.length === 2 ? `${name}(${args.join(', ')})` : null);
}

function ms(dialect: Dialect): Form {
  return ({ args: [x] }) => millisecondsText(x ?? 'CURRENT_TIMESTAMP', dialect);
}

function orZeroOf(name: string, call: CallParts): string | null {
  const form = orZero(name);
  return typeof form === 'string' ? form : form(call);
}

const SAME = new Set(
  `COUNT MIN MAX CORR COVAR_POP COVAR_SAMP STDDEV_POP VAR_POP VAR_SAMP ARRAY_AGG ABS ACOS ASIN ATAN ATAN2 COS COSH COT DEGREES EXP FLOOR LN LOG10 MOD PI POWER RADIANS ROUND SIGN SIN
  SINH SQRT TAN TANH COALESCE NULLIF REPLACE TRIM LTRIM RTRIM LPAD RPAD LEFT RIGHT REPEAT REVERSE ASCII CHR MD5 CONCAT_WS
  GROUPING ROW_NUMBER RANK DENSE_RANK PERCENT_RANK CUME_DIST NTILE LAG LEAD FIRST_VALUE LAST_VALUE NTH_VALUE EXISTS`.split(
    /\s+/,
  ),
);

/** The text of a call, or null when the dialect has nothing like it. */
export function callText(name: string, call: CallParts, dialect: Dialect): string | null {
  const upperName = name.toUpperCase();
  if (SAME.has(upperName)) return call.aggregate(upperName, call.args.join(', '));
  if (!Object.hasOwn(FUNCTIONS, upperName)) return null;
  const form = FUNCTIONS[upperName]?.[dialect];
  if (form === undefined) return null;
  return typeof form === 'string' ? call.aggregate(form, call.args.join(', ')) : form(call);
}
