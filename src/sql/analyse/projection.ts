import type { Span } from '../../core/span.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Identifier, Select, SelectItem } from '../ast.ts';
import { canonicalName } from '../catalog.ts';
import type { ExpressionResolver } from './expression.ts';
import type { Problems } from './problems.ts';
import { qualifies, type Scope, unknownQualifier } from './scope.ts';
import { isSystemColumn } from './system-columns.ts';

/** One column of the output, over the input row. */
export interface OutputItem {
  readonly name: string;
  readonly quoted: boolean;
  readonly expr: Expr;
  readonly span: Span;
  /** came from `*` */
  readonly star: boolean;
  /** a name of its own, or one that we made (KSQL_COL_0) */
  readonly written: boolean;
}

/** A column that `*` lists; an empty name stands for an expression without one. */
export interface StarColumn {
  readonly name: string;
  readonly expr: Expr;
  readonly relation: number;
  readonly qualifiedOnly?: true | undefined;
}

export interface ProjectionOptions {
  readonly select: Select;
  readonly scope: Scope;
  readonly resolver: ExpressionResolver;
  readonly problems: Problems;
  /** what `*` stands for, in order */
  readonly star: readonly StarColumn[];
}

/** The select list with stars written out and every column named. Errors of one item do not hide those of another. */
export function resolveItems(options: ProjectionOptions): readonly OutputItem[] {
  const { select, problems } = options;
  const names = new ColumnNames(options.scope);
  const items: OutputItem[] = [];
  for (const item of select.items) {
    problems.attempt(() => {
      items.push(...resolveItem(item, options, names));
    });
  }
  return items;
}

function resolveItem(
  item: SelectItem,
  options: ProjectionOptions,
  names: ColumnNames,
): readonly OutputItem[] {
  const { resolver, scope, problems } = options;
  const { strict } = resolver;
  switch (item.kind) {
    case 'all': {
      const { qualifier } = item;
      const at = qualifier ? scope.relations.findIndex(r => qualifies(qualifier, r)) : -1;
      if (qualifier && at < 0) throw unknownQualifier(scope, qualifier, problems);
      return options.star
        .filter(column => (at < 0 ? !column.qualifiedOnly : column.relation === at))
        .map(column => {
          // a copy, so that each use has its own place
          const expr = { ...column.expr };
          resolver.context.spans.set(expr, item.span);
          const base = { quoted: true, expr, span: item.span, star: true };
          if (column.name !== '') {
            return {
              ...base,
              name: strict
                ? names.starred(column.name, column.relation)
                : names.qualified(column.name, column.relation),
              written: true,
            };
          }
          const name = expr.node === 'field' ? names.field(expr.name) : names.next();
          return { ...base, name, written: false };
        });
    }
    case 'structAll': {
      const arg = resolver.typed(item.arg);
      if (arg.type.kind !== 'STRUCT') {
        throw problems.error('type_mismatch', item.span, '->* needs a STRUCT', 'write the column alone');
      }
      return arg.type.fields.map((field, index) => ({
        name: field.name,
        quoted: false,
        expr: { node: 'field', type: field.type, arg, index, name: field.name } as const,
        span: item.span,
        star: true,
        written: true,
      }));
    }
    case 'expression': {
      const expr = resolver.typed(item.expression);
      const base = { expr, span: item.span, star: false };
      if (item.alias) {
        return [{ ...base, name: item.alias.name, quoted: item.alias.quoted, written: true }];
      }
      if (item.expression.kind === 'column') {
        const { name } = expr.node === 'column' ? expr : { name: item.expression.name.name };
        return [
          {
            ...base,
            name: strict ? names.qualified(name, names.relationOf(expr, item.expression.qualifier)) : name,
            quoted: true,
            written: true,
          },
        ];
      }
      if (expr.node === 'field') {
        return [{ ...base, name: names.field(expr.name), quoted: true, written: false }];
      }
      return [{ ...base, name: names.next(), quoted: false, written: false }];
    }
  }
}

/** Names of columns that have none: KSQL_COL_0, KSQL_COL_1, ... and fields by their own name. */
export class ColumnNames {
  readonly #scope: Scope;
  readonly #taken: Set<string>;
  #counter = 0;

  constructor(scope: Scope) {
    this.#scope = scope;
    this.#taken = new Set(scope.columns.map(c => c.name.toUpperCase()));
  }

  /** In a join a column that several relations have is called after its relation: `o_id`. */
  qualified(name: string, relation: number): string {
    const same = this.#scope.columns.filter(c => c.name.toUpperCase() === name.toUpperCase());
    const owner = this.#scope.relations[relation];
    return same.length > 1 && owner ? `${owner.name.name}_${name}` : name;
  }

  /** `*` of a join calls every column after its relation. */
  starred(name: string, relation: number): string {
    const owner = this.#scope.relations.length > 1 ? this.#scope.relations[relation] : undefined;
    return owner ? `${owner.name.name}_${name}` : name;
  }

  relationOf(expr: Expr, qualifier: Identifier | null): number {
    if (qualifier) return this.#scope.relations.findIndex(r => qualifies(qualifier, r));
    if (expr.node !== 'column') return -1;
    return this.#scope.relations.findLastIndex(r => r.offset <= expr.index);
  }

  next(): string {
    let name = `KSQL_COL_${this.#counter++}`;
    while (this.#taken.has(name)) name = `KSQL_COL_${this.#counter++}`;
    return name;
  }

  field(name: string): string {
    let unique = name;
    for (let i = 1; this.#taken.has(unique.toUpperCase()); i++) unique = `${name}_${i}`;
    this.#taken.add(unique.toUpperCase());
    return unique;
  }
}

/** Names that cannot be in an output, and names that stand there twice. */
export function checkNames(
  items: readonly OutputItem[],
  problems: Problems,
  allowed: (name: string) => boolean = () => false,
): void {
  const seen = new Map<string, OutputItem>();
  for (const item of items) {
    const name = canonicalName(item.name, item.quoted);
    if (isSystemColumn(name) && !allowed(name)) {
      problems.report(
        'invalid_statement',
        item.span,
        `"${item.name}" is a reserved column name`,
        'give the column another name: ... AS name',
      );
      continue;
    }
    if (seen.has(name)) {
      problems.report(
        'duplicate_name',
        item.span,
        `two columns of the result are called "${item.name}"`,
        'give one of them another name: ... AS name',
      );
    }
    seen.set(name, item);
  }
}
