import type { SqlType } from '../../core/sql-type.ts';

/**
 * The aggregate that a name means in complete mode (CREATE VIEW, bare SELECT), where SQL's own rules hold: SUM, AVG and
 * deviations of nothing are NULL, sums are wider than their arguments and the mean of DECIMALs is a DECIMAL. In strict
 * mode the name itself is meant.
 */
export function completeAggregate(name: string, args: readonly (SqlType | null)[]): string {
  switch (name) {
    case 'SUM':
      return 'SUM_OR_NULL';
    case 'AVG':
      return args[0]?.kind === 'DECIMAL' ? 'AVG_DECIMAL' : 'AVG_OR_NULL';
    case 'STDDEV_SAMP':
    case 'STDDEV_SAMPLE':
    case 'STDDEV':
      return 'STDDEV_OR_NULL';
    default:
      return name;
  }
}
