import { MillraceError } from '../../core/errors.ts';
import type {
  Expression,
  GroupBy,
  Identifier,
  Join,
  Query,
  QueryBody,
  Relation,
  Select,
  SelectItem,
} from '../../sql/ast.ts';
import { type Dialect, identifierText, intervalText, nameText } from './dialect.ts';
import { ExportedExpressions, type Scope } from './expressions.ts';
import type { Notes } from './notes.ts';
import { windowedFrom } from './windows.ts';

export interface ExportContext {
  readonly dialect: Dialect;
  readonly notes: Notes;
  readonly strict: boolean;
  /** names of the view's columns in order, as it is served */
  readonly columns: readonly string[];
  /** upper-case names of whole-number columns of a relation; none when it is not known */
  integersOf(relation: string): readonly string[];
}

/** Prints the query of a view. */
export function exportQuery(query: Query, context: ExportContext): string {
  return new QueryPrinter(context).query(query, context.columns);
}

class QueryPrinter {
  readonly #context: ExportContext;

  constructor(context: ExportContext) {
    this.#context = context;
  }

  query(query: Query, columns: readonly string[] = []): string {
    const { notes, dialect } = this.#context;
    const parts: string[] = [];
    if (query.with.length > 0) {
      const tables = query.with.map(t => {
        return `${identifierText(t.name, dialect)}${this.#names(t.columns)} AS (${this.query(t.query)})`;
      });
      parts.push(`WITH ${tables.join(',\n')}`);
    }
    parts.push(this.#body(query.body, columns));
    const plain = this.#expressions(NO_SCOPE);
    if (query.orderBy.length > 0) parts.push(`ORDER BY ${plain.order(query.orderBy)}`);
    if (query.limit) parts.push(`LIMIT ${plain.text(query.limit)}`);
    if (query.offset) parts.push(`OFFSET ${plain.text(query.offset)}`);
    if (query.emit) {
      notes.add(
        query.emit.mode === 'final'
          ? 'EMIT FINAL is left out: a window shows there before it is closed'
          : 'EMIT CHANGES is left out',
      );
    }
    return parts.join('\n');
  }

  #expressions(scope: Scope): ExportedExpressions {
    return new ExportedExpressions({ ...this.#context, scope, query: q => this.query(q) });
  }

  #names(names: readonly Identifier[]): string {
    if (names.length === 0) return '';
    return ` (${names.map(n => identifierText(n, this.#context.dialect)).join(', ')})`;
  }

  #body(body: QueryBody, columns: readonly string[]): string {
    switch (body.kind) {
      case 'select':
        return this.#select(body, columns);
      case 'values':
        return `VALUES ${body.rows.map(r => `(${this.#expressions(NO_SCOPE).list(r)})`).join(', ')}`;
      case 'nested':
        return `(${this.query(body.query, columns)})`;
      case 'setOperation': {
        const side = (b: QueryBody) =>
          b.kind === 'setOperation' ? `(${this.#body(b, columns)})` : this.#body(b, columns);
        return `${side(body.left)}\n${body.op.toUpperCase()}${body.all ? ' ALL' : ''}\n${side(body.right)}`;
      }
    }
  }

  #select(select: Select, columns: readonly string[]): string {
    const { dialect, notes, strict } = this.#context;
    const exploded: string[] = [];
    const explode =
      dialect === 'flink'
        ? (array: string) => {
            exploded.push(array);
            return `\`exploded_${exploded.length}\``;
          }
        : null;
    const integers = new Set(relationNames(select.from).flatMap(n => this.#context.integersOf(n)));
    const base: Scope = { window: null, isInteger: c => integers.has(c.toUpperCase()), explode };
    const plain = this.#expressions(base);
    const keys = (select.groupBy?.items ?? []).map(k => plain.text(k));
    const where = conditions(select, plain, strict);
    const window = select.window
      ? windowedFrom(select.window, { dialect, notes, select, keys, where })
      : null;
    const expressions = this.#expressions({ ...base, window });
    const items = this.#items(select, expressions, columns);
    let from = window?.from ?? (select.from ? this.#relation(select.from, plain) : null);
    for (const [i, array] of exploded.entries()) {
      from = `${from}\nCROSS JOIN UNNEST(${array}) AS \`exploding_${i + 1}\` (\`exploded_${i + 1}\`)`;
    }
    const parts = [
      `SELECT ${select.distinct ? 'DISTINCT ' : ''}\n  ${items.join(',\n  ')}`.replace(' \n', '\n'),
    ];
    if (from !== null) parts.push(`FROM ${from}`);
    if (where !== null && window?.filtered !== true) parts.push(`WHERE ${where}`);
    if (select.groupBy)
      parts.push(`GROUP BY ${this.#group(select.groupBy, keys, window?.groupBy ?? [], plain)}`);
    if (select.having) parts.push(`HAVING ${expressions.text(select.having)}`);
    if (select.partitionBy) notes.add('PARTITION BY is left out: it says how the topic is keyed');
    return parts.join('\n');
  }

  /** Texts of the columns, under the names and in the order in which the view serves them. */
  #items(select: Select, expressions: ExportedExpressions, columns: readonly string[]): string[] {
    const { dialect, notes, strict } = this.#context;
    const ownName = (item: SelectItem) => nameOf(item, columns);
    const known = new Set(select.items.map(ownName).filter(n => n !== null));
    const free = columns.filter(c => !known.has(c.toUpperCase()) && !/^WINDOW(START|END)$/.test(c));
    const unnamed = select.items.filter(i => i.kind === 'expression' && ownName(i) === null).length;
    const named = new Map<string, string>();
    for (const item of select.items) {
      if (item.kind === 'structAll') {
        if (dialect === 'postgres' || dialect === 'duckdb') {
          named.set(`*${named.size}`, `(${expressions.text(item.arg)}).*`);
        } else {
          notes.add('->* is left out: name the fields of the struct');
        }
        continue;
      }
      if (item.kind === 'all') {
        named.set(`*${named.size}`, item.qualifier ? `${identifierText(item.qualifier, dialect)}.*` : '*');
        if (select.from?.kind === 'join') notes.add('columns of * in a join have other names there');
        continue;
      }
      const own = ownName(item);
      const name = own === null && free.length === unnamed ? (free.shift() ?? null) : null;
      const text = expressions.text(item.expression);
      const alias = item.alias
        ? identifierText(item.alias, dialect)
        : name !== null
          ? nameText(name, dialect)
          : item.expression.kind === 'column' &&
              own !== null &&
              isRenamed(item.expression, own, text, dialect)
            ? nameText(columns.find(c => c.toUpperCase() === own) ?? item.expression.name.name, dialect)
            : null;
      named.set(own ?? name ?? `#${named.size}`, text + (alias === null ? '' : ` AS ${alias}`));
    }
    const window = select.window !== null && strict;
    if (window) {
      for (const bound of ['WINDOWSTART', 'WINDOWEND']) {
        if (named.has(bound)) continue;
        const span = { start: 0, end: 0 };
        const text = expressions.text({
          kind: 'column',
          qualifier: null,
          name: { name: bound, quoted: false, span },
          span,
        });
        named.set(bound, `${text} AS ${nameText(bound, dialect)}`);
      }
    }
    const ordered = columns.flatMap(c => named.get(c.toUpperCase()) ?? []);
    return ordered.length === named.size && ordered.length === columns.length ? ordered : [...named.values()];
  }

  #group(
    groupBy: GroupBy,
    keys: readonly string[],
    more: readonly string[],
    expressions: ExportedExpressions,
  ): string {
    if (this.#context.dialect === 'flink' && groupBy.items.some(k => k.kind === 'number')) {
      this.#context.notes.add('GROUP BY 1 means a constant in Flink: write the expression');
    }
    if (groupBy.all) {
      const known = this.#context.dialect === 'duckdb';
      if (!known)
        this.#context.notes.add('GROUP BY ALL is printed as written: name the columns where it is not known');
      return 'ALL';
    }
    const all = [...keys, ...more];
    if (groupBy.sets === null) return all.length > 0 ? all.join(', ') : '()';
    const word = groupBy.sets.kind === 'groupingSets' ? 'GROUPING SETS' : groupBy.sets.kind.toUpperCase();
    const sets = groupBy.sets.groups.map(g => `(${expressions.list(g)})`).join(', ');
    return [...all, `${word} (${sets})`].join(', ');
  }

  #relation(relation: Relation, expressions: ExportedExpressions): string {
    const { dialect } = this.#context;
    const alias = (id: Identifier | null) => (id ? ` AS ${identifierText(id, dialect)}` : '');
    switch (relation.kind) {
      case 'table':
        return identifierText(relation.name, dialect) + alias(relation.alias);
      case 'subquery': {
        const name = relation.alias ? alias(relation.alias) : ` AS ${nameText('subquery', dialect)}`;
        return `(${this.query(relation.query)})${name}${this.#names(relation.columns)}`;
      }
      case 'tableFunction': {
        const { call, ordinality, columns } = relation;
        // in DuckDB a name for the rows alone does not name their only column
        const own = dialect === 'duckdb' && relation.alias && !ordinality ? [relation.alias] : [];
        return [
          this.#expressions(NO_SCOPE).text(call),
          ordinality ? ' WITH ORDINALITY' : '',
          alias(relation.alias),
          this.#names(columns.length > 0 ? columns : own),
        ].join('');
      }
      case 'join':
        return this.#join(relation, expressions);
    }
  }

  #join(join: Join, expressions: ExportedExpressions): string {
    const right = this.#relation(join.right, expressions);
    const type = join.type === 'inner' ? '' : `${join.type.toUpperCase()} `;
    const on = join.on ? expressions.text(join.on) : null;
    const within = join.within ? this.#within(join) : null;
    const both = [on === null || within === null ? on : `(${on})`, within].filter(t => t !== null);
    const using = join.using.length > 0 ? ` USING${this.#names(join.using)}` : '';
    const rest = using || (both.length > 0 ? ` ON ${both.join(' AND ')}` : '');
    const inner = join.right.kind === 'join' ? `(${right})` : right;
    const natural = join.natural ? 'NATURAL ' : '';
    return `${this.#relation(join.left, expressions)}\n${natural}${type}JOIN ${inner}${rest}`;
  }

  /** Two streams: the times may be so far apart. */
  #within({ within, left, right, on }: Join): string {
    const { dialect, notes } = this.#context;
    const leftName = qualifierOf(left);
    const rightName = qualifierOf(right);
    if (!within || leftName === null || rightName === null || on === null) {
      throw new MillraceError('not_supported', 'this join with WITHIN cannot be exported', {
        hint: 'name both sides (AS a, AS b) and join with ON',
      });
    }
    notes.add('rowtime: a TIMESTAMP column of the event time is expected in what is read');
    if (within.grace !== null) notes.add('GRACE PERIOD is left out: late rows count there');
    const time = (id: Identifier) => `${identifierText(id, dialect)}.${nameText('rowtime', dialect)}`;
    const before = intervalText(within.before, dialect);
    const after = intervalText(within.after, dialect);
    return `${time(rightName)} BETWEEN ${time(leftName)} - ${before} AND ${time(leftName)} + ${after}`;
  }
}

const NO_SCOPE: Scope = { window: null, isInteger: () => false, explode: null };

/** WHERE, and in ksqlDB's rules that a row with a NULL in its grouping key does not count. */
function conditions(select: Select, expressions: ExportedExpressions, strict: boolean): string | null {
  const texts: string[] = [];
  const keys = strict ? (select.groupBy?.items ?? []) : [];
  if (select.where) {
    const text = expressions.text(select.where);
    texts.push(
      select.where.kind === 'binary' && select.where.op === 'or' && keys.length > 0 ? `(${text})` : text,
    );
  }
  for (const key of keys) if (key.kind !== 'number') texts.push(`${expressions.operand(key)} IS NOT NULL`);
  return texts.length === 0 ? null : texts.join(' AND ');
}

/** The name that an item gives its column by itself, upper case, or null. `columns` are those of the view. */
function nameOf(item: SelectItem, columns: readonly string[]): string | null {
  if (item.kind !== 'expression') return null;
  if (item.alias) return item.alias.name.toUpperCase();
  if (item.expression.kind !== 'column') return null;
  const name = item.expression.name.name.toUpperCase();
  const { qualifier } = item.expression;
  if (qualifier === null) return name;
  // strict KSQL tells equal names of both sides of a join apart
  const long = `${qualifier.name.toUpperCase()}_${name}`;
  const served = columns.map(c => c.toUpperCase());
  return !served.includes(name) && served.includes(long) ? long : name;
}

type Column = Extract<Expression, { kind: 'column' }>;

/** Would the column have another name there than it has here? */
function isRenamed({ qualifier, name }: Column, own: string, text: string, dialect: Dialect): boolean {
  const plain = (qualifier ? `${identifierText(qualifier, dialect)}.` : '') + identifierText(name, dialect);
  return text !== plain || own !== name.name.toUpperCase();
}

function relationNames(relation: Relation | null): string[] {
  if (relation === null) return [];
  if (relation.kind === 'table') return [relation.name.name];
  if (relation.kind === 'join') return [...relationNames(relation.left), ...relationNames(relation.right)];
  return [];
}

/** What the columns of a side are qualified with; of a chain of joins its first stream. */
function qualifierOf(relation: Relation): Identifier | null {
  switch (relation.kind) {
    case 'table':
      return relation.alias ?? relation.name;
    case 'join':
      return qualifierOf(relation.left);
    default:
      return relation.alias;
  }
}
