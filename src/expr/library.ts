import { ATTR } from './aggregates/attr.ts';
import { AVG, AVG_DECIMAL, AVG_OR_NULL } from './aggregates/average.ts';
import { BOOL_AND, BOOL_OR } from './aggregates/bool.ts';
import { EARLIEST_BY_OFFSET, LATEST_BY_OFFSET } from './aggregates/by-offset.ts';
import { COLLECT_LIST, COLLECT_SET } from './aggregates/collect.ts';
import { CORRELATION } from './aggregates/correlation.ts';
import { COUNT, COUNT_DISTINCT } from './aggregates/count.ts';
import { CORR, COVAR_POP, COVAR_SAMP, STDDEV_POP, VAR_POP } from './aggregates/covariance.ts';
import { STDDEV_OR_NULL, STDDEV_SAMP, STDDEV_SAMPLE, VAR_SAMP } from './aggregates/deviation.ts';
import { MAX, MIN } from './aggregates/extremes.ts';
import { HISTOGRAM } from './aggregates/histogram.ts';
import { ARRAY_AGG, ARRAY_AGG_BY, STRING_AGG, STRING_AGG_BY } from './aggregates/ordered-list.ts';
import { MEDIAN, MODE, PERCENTILE_CONT, PERCENTILE_DISC } from './aggregates/percentile.ts';
import { SINGLE_VALUE } from './aggregates/single-value.ts';
import { SUM, SUM_LIST, SUM_OR_NULL } from './aggregates/sum.ts';
import { TOPK, TOPKDISTINCT } from './aggregates/top-k.ts';
import { createRegistry } from './function-registry.ts';
import { builtInFunctions } from './functions/built-in.ts';
import type { FunctionEntry } from './functions.ts';
import type { FunctionRegistry } from './registry.ts';

const aggregates: readonly FunctionEntry[] = [
  ARRAY_AGG,
  ARRAY_AGG_BY,
  ATTR,
  AVG,
  AVG_DECIMAL,
  AVG_OR_NULL,
  BOOL_AND,
  BOOL_OR,
  COLLECT_LIST,
  COLLECT_SET,
  CORR,
  CORRELATION,
  COUNT,
  COUNT_DISTINCT,
  COVAR_POP,
  COVAR_SAMP,
  EARLIEST_BY_OFFSET,
  HISTOGRAM,
  LATEST_BY_OFFSET,
  MAX,
  MEDIAN,
  MIN,
  MODE,
  PERCENTILE_CONT,
  PERCENTILE_DISC,
  SINGLE_VALUE,
  STDDEV_OR_NULL,
  STDDEV_POP,
  STDDEV_SAMP,
  STDDEV_SAMPLE,
  STRING_AGG,
  STRING_AGG_BY,
  SUM,
  SUM_LIST,
  SUM_OR_NULL,
  TOPK,
  TOPKDISTINCT,
  VAR_POP,
  VAR_SAMP,
];

/** Every function that Millrace ships. */
export const standardLibrary: FunctionRegistry = createRegistry([...builtInFunctions, ...aggregates]);
