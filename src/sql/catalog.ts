import type { ErrorPlace } from '../core/errors.ts';
import type { Schema } from '../core/schema.ts';
import type { SqlType } from '../core/sql-type.ts';
import type { FormatSpec, RelationKind, SinkSpec, SourceSpec } from '../plan/plan.ts';
import type { DerivedRows } from './analyse/resolved-query.ts';
import type { Identifier } from './ast.ts';
import { closest } from './suggest.ts';

/** A stream, table or view that statements can name: declared over a topic, or derived by a query. */
export interface Relation {
  /** as its declaration spells it */
  readonly name: string;
  readonly quoted: boolean;
  /** strict KSQL sees a stream or a table; a VIEW is one or the other by the kind of its changes */
  readonly kind: 'stream' | 'table';
  readonly statement: 'source' | 'stream' | 'table' | 'view';
  readonly changes: RelationKind;
  /** columns as readers see them, hidden ones last; window columns as in plan/plan.ts */
  readonly schema: Schema;
  /** positions that no name reaches */
  readonly hidden: readonly number[];
  readonly window: SourceSpec['window'];
  /** CREATE SOURCE: nothing may write to it */
  readonly readOnly: boolean;
  /** the declaration, for a relation over a topic */
  readonly source: SourceSpec | null;
  readonly sink: SinkSpec | null;
  /** what a derived relation reads, by canonical name */
  readonly reads: readonly string[];
  readonly place: ErrorPlace;
  /** a subquery or common table: its rows are made in the plan of the query that names it */
  readonly derived?: DerivedRows | undefined;
}

export interface CustomType {
  readonly name: string;
  readonly type: SqlType;
}

/** The name under which identifiers meet: upper case unless quoted. */
export function canonicalName(name: string, quoted: boolean): string {
  return quoted ? name : name.toUpperCase();
}

export function canonical(identifier: Identifier): string {
  return canonicalName(identifier.name, identifier.quoted);
}

/** All names that a statement may use. Immutable: `with` and `without` make another one. */
export class Catalog {
  readonly #relations: ReadonlyMap<string, Relation>;
  readonly #types: ReadonlyMap<string, CustomType>;

  /** names that are defined elsewhere, and not read here: they are suggested too */
  readonly #others: readonly string[];

  private constructor(
    relations: ReadonlyMap<string, Relation>,
    types: ReadonlyMap<string, CustomType>,
    others: readonly string[] = [],
  ) {
    this.#relations = relations;
    this.#types = types;
    this.#others = others;
  }

  static readonly empty = new Catalog(new Map(), new Map());

  /** Without case; a quoted identifier names the exact spelling. */
  find(identifier: Identifier): Relation | undefined {
    const found = this.#relations.get(canonical(identifier));
    if (found || !identifier.quoted) return found;
    const folded = this.#relations.get(identifier.name.toUpperCase());
    return folded?.name === identifier.name ? folded : undefined;
  }

  /** By canonical name. */
  get(name: string): Relation | undefined {
    return this.#relations.get(name);
  }

  relations(): Iterable<Relation> {
    return this.#relations.values();
  }

  findType(name: string): CustomType | undefined {
    return this.#types.get(name.toUpperCase());
  }

  types(): readonly CustomType[] {
    return [...this.#types.values()];
  }

  typeNames(): readonly string[] {
    return [...this.#types.values()].map(t => t.name);
  }

  /** What the writer of an unknown name probably meant. */
  suggestion(identifier: Identifier): string | undefined {
    const same = [...this.#relations.values()].find(
      r => r.name.toUpperCase() === identifier.name.toUpperCase(),
    );
    if (same) return `did you mean "${same.name}"? its name is case-sensitive, write it in double quotes`;
    const near = closest(identifier.name, [
      ...[...this.#relations.values()].map(r => r.name),
      ...this.#others,
    ]);
    return near === null ? undefined : `did you mean "${near}"?`;
  }

  with(relation: Relation): Catalog {
    const relations = new Map(this.#relations);
    relations.set(canonicalName(relation.name, relation.quoted), relation);
    return new Catalog(relations, this.#types, this.#others);
  }

  without(name: string): Catalog {
    const relations = new Map(this.#relations);
    relations.delete(name);
    return new Catalog(relations, this.#types, this.#others);
  }

  /** Views that stand in other files: whoever misspells one is told, whether it is planned yet or not. */
  besides(others: readonly string[]): Catalog {
    return new Catalog(this.#relations, this.#types, others);
  }

  withType(type: CustomType): Catalog {
    return new Catalog(
      this.#relations,
      new Map(this.#types).set(type.name.toUpperCase(), type),
      this.#others,
    );
  }

  withoutType(name: string): Catalog {
    const types = new Map(this.#types);
    types.delete(name.toUpperCase());
    return new Catalog(this.#relations, types, this.#others);
  }
}

/** Formats of a relation's topic: of its declaration, or of what it writes. */
export function formatsOf(relation: Relation): { key: FormatSpec; value: FormatSpec } | null {
  const from = relation.source ?? relation.sink;
  return from && { key: from.keyFormat, value: from.valueFormat };
}
