import { type Argument, OPERATORS } from './operators.ts';
import type { Random } from './random.ts';
import { literal, nullOf, type Term } from './term.ts';
import { decimal, decimalParts, KINDS, type Kind, kindOf, type Type } from './types.ts';

/** Where terms end: the columns of the input, or the keys and aggregates of a group. */
export type Leaves = (random: Random, kind: Kind) => Term | null;

const NAMES = Object.keys(OPERATORS);

export function columnLeaves(columns: readonly Term[]): Leaves {
  return (random, kind) => {
    const fitting = columns.filter(c => kindOf(c.type) === kind);
    return fitting.length === 0 ? null : random.of(fitting);
  };
}

export function randomKind(random: Random): Kind {
  return random.of(KINDS);
}

/** A term of a kind, at most `depth` operators deep. */
export function randomTerm(random: Random, kind: Kind, depth: number, leaves: Leaves): Term {
  if (depth <= 0 || random.chance(0.25)) return leaf(random, kind, leaves);
  for (let i = 0; i < 10; i++) {
    const name = random.of(NAMES);
    const operator = OPERATORS[name];
    if (!operator || (operator.result !== kind && operator.result !== 'SAME')) continue;
    const term = applied(random, name, kind, depth, leaves);
    if (term) return term;
  }
  return leaf(random, kind, leaves);
}

function applied(random: Random, name: string, kind: Kind, depth: number, leaves: Leaves): Term | null {
  const operator = OPERATORS[name];
  if (!operator) return null;
  const args = operator.args.map(arg => argument(random, arg, kind, depth - 1, leaves));
  if (operator.result === 'SAME') {
    const like = args.filter((_, i) => operator.args[i] === 'SAME');
    const type = like[0]?.type ?? kind;
    return like.every(a => a.type === type) ? { op: name, type, args } : null;
  }
  const type = operator.type ? operator.type(args.map(a => a.type)) : kind;
  // comparisons of DECIMALs and the like take any scale
  return type === null ? null : { op: name, type, args };
}

function argument(random: Random, arg: Argument, kind: Kind, depth: number, leaves: Leaves): Term {
  if (arg === 'SMALL') return literal(String(random.int(0, 4)), 'INT');
  if (arg === 'POSITIVE') return literal(String(random.int(1, 4)), 'INT');
  return randomTerm(random, arg === 'SAME' ? kind : arg, depth, leaves);
}

function leaf(random: Random, kind: Kind, leaves: Leaves): Term {
  const found = random.chance(0.8) ? leaves(random, kind) : null;
  if (found) return found;
  return random.chance(0.08) ? nullOf(typeOfNull(kind)) : randomLiteral(random, kind);
}

function typeOfNull(kind: Kind): Type {
  return kind === 'DECIMAL' ? decimal(10, 2) : kind;
}

export function randomLiteral(random: Random, kind: Kind): Term {
  switch (kind) {
    case 'INT':
      return literal(random.of(['0', '1', '2', '3', '7', '-1', '-5', '100', '2147483647']), kind);
    case 'BIGINT':
      return literal(random.of(['0', '1', '3', '-2', '9007199254740993']), kind);
    case 'DECIMAL': {
      const text = random.of(['0.00', '1.50', '10.00', '99.99', '2.50']);
      return literal(text, decimal(text.length - 1, 2));
    }
    case 'DOUBLE':
      return literal(random.of(['0', '1', '0.5', '2.25', '100']), kind);
    case 'STRING':
      return literal(random.of(['', 'a', 'b', 'ab', ' x ', "it's", 'é', '12']), kind);
    case 'BOOLEAN':
      return literal(random.of(['TRUE', 'FALSE']), kind);
    case 'DATE':
      return literal(random.of(['2026-03-28', '2026-03-29', '2026-03-30', '2024-02-29']), kind);
    case 'TIMESTAMP':
      return literal(
        random.of(['2026-03-29T00:00:00.000', '2026-03-29T01:30:00.000', '2026-03-28T23:59:59.999']),
        kind,
      );
  }
}

const AGGREGATES = ['COUNT', 'COUNT', 'SUM', 'AVG', 'MIN', 'MAX'] as const;

/** An aggregate over the rows of a group; `offsets`: also those that know the order of the rows. */
export function randomAggregate(random: Random, columns: readonly Term[], offsets = false): Term {
  const leaves = columnLeaves(columns);
  if (offsets && random.chance(0.15)) {
    const arg = randomTerm(random, randomKind(random), 1, leaves);
    const text = random.of(['LATEST_BY_OFFSET', 'EARLIEST_BY_OFFSET']);
    return { op: 'aggregate', type: arg.type, args: [arg], text, filter: null };
  }
  const text = random.of(AGGREGATES);
  const filter = random.chance(0.2) ? randomTerm(random, 'BOOLEAN', 2, leaves) : null;
  if (text === 'COUNT' && random.chance(0.4))
    return { op: 'aggregate', type: 'BIGINT', args: [], text, filter };
  const distinct = text !== 'MIN' && text !== 'MAX' && random.chance(0.25);
  const arg = aggregated(random, text, columns);
  return { op: 'aggregate', type: aggregateType(text, arg.type), args: [arg], text, distinct, filter };
}

function aggregated(random: Random, text: (typeof AGGREGATES)[number], columns: readonly Term[]): Term {
  const leaves = columnLeaves(columns);
  // sums of the source's DOUBLE column are exact in any order: it holds multiples of 1/4
  const exact = columns.some(c => c.text === 'f');
  switch (text) {
    case 'COUNT':
      return randomTerm(random, randomKind(random), 1, leaves);
    case 'SUM': {
      const kind = random.of(['INT', 'BIGINT', 'DECIMAL', exact ? 'DOUBLE' : 'INT'] as const);
      return randomTerm(random, kind, kind === 'DOUBLE' ? 0 : 1, leaves);
    }
    case 'AVG': {
      const kind = random.of(['INT', 'DECIMAL', exact ? 'DOUBLE' : 'INT'] as const);
      const term = randomTerm(random, kind, kind === 'INT' ? 1 : 0, leaves);
      // so that the exact quotient fits DuckDB's widest integer
      const wide = kindOf(term.type) === 'DECIMAL' && decimalParts(term.type).precision > 20;
      return wide ? randomLiteral(random, 'DECIMAL') : term;
    }
    default:
      return randomTerm(
        random,
        random.of(['INT', 'BIGINT', 'DECIMAL', 'DOUBLE', 'STRING', 'DATE', 'TIMESTAMP'] as const),
        1,
        leaves,
      );
  }
}

function aggregateType(text: string, type: Type): Type {
  if (text === 'COUNT') return 'BIGINT';
  if (text === 'MIN' || text === 'MAX') return type;
  const kind = kindOf(type);
  const scale = kind === 'DECIMAL' ? decimalParts(type).scale : 0;
  if (text === 'AVG') return kind === 'DECIMAL' ? decimal(38, Math.max(scale, 6)) : 'DOUBLE';
  if (kind === 'INT') return 'BIGINT';
  return kind === 'DOUBLE' ? 'DOUBLE' : decimal(38, scale);
}
