import type { Span } from '../../core/span.ts';
import { formatsOf, type Relation } from '../catalog.ts';
import { FULL_SQL, type Problems } from './problems.ts';
import type { ResolvedGroup } from './resolved-query.ts';

/** Aggregates whose running state KSQL keeps as a STRUCT, ARRAY or MAP. */
const STRUCTURED: ReadonlySet<string> = new Set([
  'ATTR',
  'AVG',
  'COLLECT_LIST',
  'COLLECT_MAP',
  'COLLECT_SET',
  'CORRELATION',
  'COUNT_DISTINCT',
  'EARLIEST_BY_OFFSET',
  'HISTOGRAM',
  'LATEST_BY_OFFSET',
  'STDDEV_SAMP',
  'STDDEV_SAMPLE',
  'TOPK',
  'TOPKDISTINCT',
]);

/**
 * KSQL keeps the state of an aggregate in the value format of its source and refuses a format that cannot hold it. Here
 * state is typed and needs no format; the refusal is kept for strict statements.
 */
export function checkAggregateState(
  group: ResolvedGroup | null,
  input: Relation,
  problems: Problems,
  span: Span,
): void {
  const format = formatsOf(input)?.value.format;
  if (format !== 'DELIMITED' && format !== 'KAFKA') return;
  const call = group?.aggregates.find(aggregate => STRUCTURED.has(aggregate.fn));
  if (call === undefined) return;
  problems.report(
    'invalid_statement',
    span,
    `${call.fn} keeps a structured state, which the value format ${format} of "${input.name}" cannot hold`,
    FULL_SQL,
  );
}
