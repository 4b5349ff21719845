import type { MillraceError } from '../core/errors.ts';
import type { SourceText, Span } from '../core/span.ts';
import type { FunctionRegistry } from '../expr/registry.ts';
import { type InsertRow, resolveRow } from '../sql/analyse/insert-values.ts';
import { Problems } from '../sql/analyse/problems.ts';
import { FORMAT_DEFAULTS, type FormatDefaults } from '../sql/analyse/source.ts';
import type { AssertStatement, CreateAs, CreateSource, InsertValues, Statement } from '../sql/ast.ts';
import { Catalog, canonical, canonicalName, type Relation } from '../sql/catalog.ts';
import { parseStatements } from '../sql/parse.ts';
import { assemble } from './assemble.ts';
import { alterSource, checkReplace, dropRelation } from './change-statements.ts';
import {
  type DefineOptions,
  type Definition,
  defineAs,
  defineInsert,
  defineSource,
  defineType,
  openToOutside,
  refuseTarget,
} from './definitions.ts';
import type { DeploymentPlan, SourceSpec } from './plan.ts';
import type { RewriteRule } from './rewrite.ts';
import { withSetting } from './settings.ts';

export interface ScriptOptions {
  readonly functions: FunctionRegistry;
  /** IANA zone */
  readonly zone: string;
  /** session settings by ksqlDB's names */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** rewrite rules, all unless given: a plan must have the same rows without them */
  readonly rules?: readonly RewriteRule[] | undefined;
  /** what is defined before the script; it can be read, not changed */
  readonly catalog?: Catalog | undefined;
}

/** What happens beside definitions, in the order of the text. */
export type ScriptStep =
  | {
      readonly kind: 'insert';
      readonly target: Relation;
      readonly rows: readonly InsertRow[];
      readonly span: Span;
    }
  | {
      readonly kind: 'assert';
      readonly statement: AssertStatement;
      readonly target: Relation | null;
      readonly row: InsertRow | null;
      readonly span: Span;
    };

export interface ScriptPlan {
  /** what stands after the last statement; null when there are errors */
  readonly plan: DeploymentPlan | null;
  readonly steps: readonly ScriptStep[];
  readonly catalog: Catalog;
  readonly errors: readonly MillraceError[];
}

/**
 * Plans a script of statements in order: ksqlDB's test cases and `millrace test`. A topic that WITH does not name is called
 * as the stream or table, in upper case unless quoted.
 */
export function planScript(source: SourceText, options: ScriptOptions): ScriptPlan {
  const parsed = parseStatements(source);
  const problems = new Problems(source);
  for (const error of parsed.errors) problems.add(error);
  const script = new Script(problems, options);
  for (const statement of parsed.statements) {
    problems.attempt(() => script.apply(statement));
  }
  const assembled = assemble({
    definitions: [...script.definitions.values()],
    sources: script.sources(),
    functions: options.functions,
    zone: options.zone,
    rules: options.rules,
  });
  const errors = [...problems.errors, ...assembled.errors];
  return {
    plan: errors.length > 0 ? null : assembled.plan,
    steps: script.steps,
    catalog: script.catalog,
    errors,
  };
}

class Script {
  catalog: Catalog;
  readonly definitions = new Map<string, Definition>();
  readonly steps: ScriptStep[] = [];
  readonly #problems: Problems;
  readonly #options: ScriptOptions;
  #defaults: FormatDefaults;
  #queries = 0;

  constructor(problems: Problems, options: ScriptOptions) {
    this.#problems = problems;
    this.#options = options;
    this.catalog = options.catalog ?? Catalog.empty;
    this.#defaults = FORMAT_DEFAULTS;
    for (const [name, value] of Object.entries(options.properties ?? {})) {
      this.#defaults = withSetting(this.#defaults, name, value);
    }
  }

  sources(): readonly SourceSpec[] {
    return [...this.catalog.relations()].flatMap(r => (r.source ? [r.source] : []));
  }

  get #define(): DefineOptions {
    return {
      catalog: this.catalog,
      functions: this.#options.functions,
      problems: this.#problems,
      zone: this.#options.zone,
      defaults: this.#defaults,
      topicOf: canonical,
    };
  }

  apply(statement: Statement): void {
    const problems = this.#problems;
    switch (statement.kind) {
      case 'createSource':
        this.#createSource(statement);
        return;
      case 'createAs':
        this.#createAs(statement);
        return;
      case 'insertInto': {
        const name = canonical(statement.target);
        const target = this.catalog.find(statement.target);
        const known = target ? canonicalName(target.name, target.quoted) : name;
        this.definitions.set(known, defineInsert(statement, this.definitions.get(known), this.#define));
        return;
      }
      case 'insertValues':
        this.#insertValues(statement);
        return;
      case 'createType':
        this.catalog = defineType(statement, this.#define);
        return;
      case 'dropType':
        if (!this.catalog.findType(statement.name.name) && !statement.ifExists) {
          throw problems.error('unknown_type', statement.name.span, `unknown type "${statement.name.name}"`);
        }
        this.catalog = this.catalog.withoutType(statement.name.name);
        return;
      case 'drop': {
        const dropped = dropRelation(statement, this.catalog, this.definitions, problems);
        if (!dropped) return;
        this.catalog = this.catalog.without(dropped);
        this.definitions.delete(dropped);
        return;
      }
      case 'alter': {
        const altered = alterSource(statement, this.catalog, problems);
        this.catalog = this.catalog.with(altered);
        return;
      }
      case 'set':
        this.#defaults = withSetting(this.#defaults, statement.property, statement.value);
        return;
      case 'unset':
        this.#defaults = FORMAT_DEFAULTS;
        return;
      case 'assert':
        this.#assert(statement);
        return;
      case 'select': {
        const name = `QUERY_${++this.#queries}`;
        const span = { start: statement.span.start, end: statement.span.start + 6 };
        this.#createAs({
          kind: 'createAs',
          what: 'view',
          name: { name, quoted: false, span },
          orReplace: false,
          ifNotExists: false,
          properties: [],
          query: statement.query,
          comment: statement.comment,
          span: statement.span,
        });
        return;
      }
      case 'define':
      case 'undefine':
        return;
      case 'explain':
      case 'other':
        throw problems.error(
          'not_supported',
          statement.span,
          `${statement.kind === 'explain' ? 'EXPLAIN' : statement.command} is not supported in a script`,
        );
    }
  }

  #exists(statement: CreateSource | CreateAs): boolean {
    const existing = this.catalog.get(canonical(statement.name));
    if (!existing) return false;
    if (statement.ifNotExists) return true;
    if (!statement.orReplace) {
      throw this.#problems.error(
        'duplicate_name',
        statement.name.span,
        `"${statement.name.name}" exists already: it is a ${existing.kind}`,
        'write CREATE OR REPLACE to replace it',
      );
    }
    return false;
  }

  #createSource(statement: CreateSource): void {
    if (this.#exists(statement)) return;
    const relation = defineSource(statement, this.#define);
    checkReplace(this.catalog.get(canonical(statement.name)), relation, this.#problems, statement.name.span);
    this.catalog = this.catalog.with(relation);
  }

  #createAs(statement: CreateAs): void {
    if (this.#exists(statement)) return;
    const definition = defineAs(statement, this.#define);
    const name = canonical(statement.name);
    checkReplace(this.catalog.get(name), definition.relation, this.#problems, statement.name.span);
    this.catalog = this.catalog.with(definition.relation);
    this.definitions.set(name, definition);
  }

  #insertValues(statement: InsertValues): void {
    const problems = this.#problems;
    const target = this.catalog.find(statement.target);
    if (!target) {
      throw problems.error(
        'unknown_source',
        statement.target.span,
        `unknown stream or table "${statement.target.name}"`,
        this.catalog.suggestion(statement.target),
      );
    }
    refuseTarget(target, statement.target.span, problems, 'insert values into');
    if (target.schema.windowed) {
      throw problems.error(
        'invalid_statement',
        statement.target.span,
        `cannot insert values into the windowed ${target.kind} "${target.name}"`,
        'insert into what its windows are made of',
      );
    }
    const rows = statement.rows.map(values =>
      resolveRow({
        target,
        columns: statement.columns,
        values,
        span: statement.span,
        catalog: this.catalog,
        functions: this.#options.functions,
        problems,
        purpose: 'insert',
      }),
    );
    this.#admitOutside(target);
    this.steps.push({ kind: 'insert', target, rows, span: statement.span });
  }

  /** Records that INSERT writes into a derived stream's topic join the rows of its query. */
  #admitOutside(target: Relation): void {
    const name = canonicalName(target.name, target.quoted);
    const definition = this.definitions.get(name);
    if (!definition?.sink || definition.outside || target.kind !== 'stream') return;
    this.definitions.set(name, openToOutside(definition));
  }

  #assert(statement: AssertStatement): void {
    const target = statement.target ? (this.catalog.find(statement.target) ?? null) : null;
    const needsTarget = ['values', 'nullValues', 'stream', 'table'].includes(statement.what);
    if (needsTarget && !target && statement.target) {
      throw this.#problems.error(
        'unknown_source',
        statement.target.span,
        `unknown stream or table "${statement.target.name}"`,
        this.catalog.suggestion(statement.target),
      );
    }
    const compares = statement.what === 'values' || statement.what === 'nullValues';
    const row =
      compares && target
        ? resolveRow({
            target,
            columns: statement.columns,
            values: statement.values,
            span: statement.span,
            catalog: this.catalog,
            functions: this.#options.functions,
            problems: this.#problems,
            purpose: 'assert',
          })
        : null;
    this.steps.push({ kind: 'assert', statement, target, row, span: statement.span });
  }
}
