import type { Span } from '../core/span.ts';

/**
 * The syntax tree: what the text says, nothing resolved. Every node carries its span. Durations are ms.
 * Types stay syntactic (`TypeName`) because custom types of CREATE TYPE are resolved by name.
 */
export interface Identifier {
  readonly name: string;
  /** quoted identifiers are matched exactly, others without case */
  readonly quoted: boolean;
  readonly span: Span;
}

export type Statement =
  | CreateSource
  | CreateAs
  | InsertInto
  | InsertValues
  | SelectStatement
  | CreateType
  | DropStatement
  | DropType
  | AlterSource
  | AssertStatement
  | DefineStatement
  | UndefineStatement
  | SetProperty
  | UnsetProperty
  | ExplainStatement
  | OtherStatement;

interface NodeBase {
  readonly span: Span;
}

/** the whole statement text without the final semicolon is text.slice(span.start, span.end) */
interface StatementBase extends NodeBase {
  /** the comment block directly before the statement, comment marks removed, or '' */
  readonly comment: string;
}

export interface Property {
  readonly name: Identifier;
  readonly value: Expression;
}

export interface CreateSource extends StatementBase {
  readonly kind: 'createSource';
  readonly what: 'stream' | 'table';
  readonly name: Identifier;
  readonly orReplace: boolean;
  readonly ifNotExists: boolean;
  /** CREATE SOURCE STREAM | TABLE */
  readonly readOnly: boolean;
  readonly columns: readonly ColumnDefinition[];
  readonly properties: readonly Property[];
}

export interface ColumnDefinition extends NodeBase {
  readonly name: Identifier;
  readonly type: TypeName;
  readonly constraint: 'key' | 'primaryKey' | 'headers' | 'header' | null;
  /** HEADER('name') */
  readonly header: string | null;
}

export interface CreateAs extends StatementBase {
  readonly kind: 'createAs';
  readonly what: 'stream' | 'table' | 'view';
  readonly name: Identifier;
  readonly orReplace: boolean;
  readonly ifNotExists: boolean;
  readonly properties: readonly Property[];
  readonly query: Query;
}

export interface InsertInto extends StatementBase {
  readonly kind: 'insertInto';
  readonly target: Identifier;
  readonly properties: readonly Property[];
  readonly query: Query;
}

export interface InsertValues extends StatementBase {
  readonly kind: 'insertValues';
  readonly target: Identifier;
  readonly columns: readonly Identifier[];
  /** several rows are an extension (ksqlDB has one) */
  readonly rows: readonly (readonly Expression[])[];
}

export interface SelectStatement extends StatementBase {
  readonly kind: 'select';
  readonly query: Query;
}

export interface CreateType extends StatementBase {
  readonly kind: 'createType';
  readonly name: Identifier;
  readonly ifNotExists: boolean;
  readonly type: TypeName;
}

export interface DropStatement extends StatementBase {
  readonly kind: 'drop';
  readonly what: 'stream' | 'table' | 'view';
  readonly name: Identifier;
  readonly ifExists: boolean;
  readonly deleteTopic: boolean;
}

export interface DropType extends StatementBase {
  readonly kind: 'dropType';
  readonly name: Identifier;
  readonly ifExists: boolean;
}

export interface AlterSource extends StatementBase {
  readonly kind: 'alter';
  readonly what: 'stream' | 'table';
  readonly name: Identifier;
  readonly add: readonly ColumnDefinition[];
}

/**
 * ksqlDB's test statements: ASSERT [NOT EXISTS] TOPIC | SCHEMA, ASSERT [NULL] VALUES, ASSERT STREAM | TABLE;
 * as an extension ADVANCE CLOCK TO '...'.
 */
export interface AssertStatement extends StatementBase {
  readonly kind: 'assert';
  readonly what: 'values' | 'nullValues' | 'stream' | 'table' | 'topic' | 'schema' | 'clock';
  readonly target: Identifier | null;
  readonly not: boolean;
  readonly columns: readonly Identifier[];
  readonly values: readonly Expression[];
  readonly definition: readonly ColumnDefinition[];
  readonly properties: readonly Property[];
  readonly timeout: number | null;
}

export interface DefineStatement extends StatementBase {
  readonly kind: 'define';
  readonly name: Identifier;
  readonly value: string;
}

export interface UndefineStatement extends StatementBase {
  readonly kind: 'undefine';
  readonly name: Identifier;
}

export interface SetProperty extends StatementBase {
  readonly kind: 'set';
  readonly property: string;
  readonly value: string;
}

export interface UnsetProperty extends StatementBase {
  readonly kind: 'unset';
  readonly property: string;
}

export interface ExplainStatement extends StatementBase {
  readonly kind: 'explain';
  readonly target: Identifier | Statement;
}

/** SHOW, LIST, DESCRIBE, PRINT, PAUSE, RESUME, TERMINATE, connectors, RUN SCRIPT: known, read to its semicolon, not run here. */
export interface OtherStatement extends StatementBase {
  readonly kind: 'other';
  /** the leading keywords, upper case: `SHOW STREAMS` */
  readonly command: string;
}

// ---------------------------------------------------------------- queries

export interface Query extends NodeBase {
  readonly with: readonly CommonTable[];
  readonly body: QueryBody;
  readonly orderBy: readonly OrderItem[];
  readonly limit: Expression | null;
  readonly offset: Expression | null;
  readonly emit: EmitClause | null;
}

export interface EmitClause extends NodeBase {
  readonly mode: 'changes' | 'final';
  /** EMIT FINAL CLOSE AFTER <duration> */
  readonly closeAfter: number | null;
}

export interface CommonTable extends NodeBase {
  readonly name: Identifier;
  readonly columns: readonly Identifier[];
  readonly query: Query;
}

export type QueryBody =
  | Select
  | SetOperation
  | Values
  | { readonly kind: 'nested'; readonly query: Query; readonly span: Span };

export interface SetOperation extends NodeBase {
  readonly kind: 'setOperation';
  readonly op: 'union' | 'intersect' | 'except';
  readonly all: boolean;
  readonly left: QueryBody;
  readonly right: QueryBody;
}

export interface Values extends NodeBase {
  readonly kind: 'values';
  readonly rows: readonly (readonly Expression[])[];
}

export interface Select extends NodeBase {
  readonly kind: 'select';
  readonly distinct: boolean;
  readonly items: readonly SelectItem[];
  readonly from: Relation | null;
  /** WINDOW clause; written after FROM, before WHERE, as ksqlDB has it */
  readonly window: WindowClause | null;
  readonly where: Expression | null;
  readonly groupBy: GroupBy | null;
  readonly having: Expression | null;
  readonly partitionBy: readonly Expression[] | null;
}

export type SelectItem =
  | { readonly kind: 'all'; readonly qualifier: Identifier | null; readonly span: Span }
  /** `struct_expression->*` */
  | { readonly kind: 'structAll'; readonly arg: Expression; readonly span: Span }
  | {
      readonly kind: 'expression';
      readonly expression: Expression;
      readonly alias: Identifier | null;
      readonly span: Span;
    };

export interface GroupBy extends NodeBase {
  /** GROUP BY ALL: by all of the select list that is no aggregate; `items` is empty */
  readonly all?: true | undefined;
  readonly items: readonly Expression[];
  /** GROUPING SETS, ROLLUP, CUBE */
  readonly sets: {
    readonly kind: 'groupingSets' | 'rollup' | 'cube';
    readonly groups: readonly (readonly Expression[])[];
  } | null;
}

export interface OrderItem extends NodeBase {
  readonly expression: Expression;
  readonly descending: boolean;
  readonly nulls: 'first' | 'last' | null;
}

export type Relation =
  | {
      readonly kind: 'table';
      readonly name: Identifier;
      readonly alias: Identifier | null;
      readonly span: Span;
    }
  | {
      readonly kind: 'subquery';
      readonly query: Query;
      readonly alias: Identifier | null;
      readonly columns: readonly Identifier[];
      readonly span: Span;
    }
  | {
      readonly kind: 'tableFunction';
      readonly call: Expression;
      /** WITH ORDINALITY: the rows are numbered */
      readonly ordinality?: true | undefined;
      readonly alias: Identifier | null;
      readonly columns: readonly Identifier[];
      readonly span: Span;
    }
  | Join;

export interface Join extends NodeBase {
  readonly kind: 'join';
  readonly type: 'inner' | 'left' | 'right' | 'full' | 'cross';
  readonly left: Relation;
  readonly right: Relation;
  readonly on: Expression | null;
  readonly using: readonly Identifier[];
  /** NATURAL: USING the columns that both sides have */
  readonly natural?: true | undefined;
  readonly within: WithinClause | null;
}

export interface WithinClause extends NodeBase {
  /** ms */
  readonly before: number;
  readonly after: number;
  readonly grace: number | null;
}

export interface WindowClause extends NodeBase {
  readonly name: Identifier | null;
  readonly type: 'tumbling' | 'hopping' | 'session';
  readonly size: number;
  readonly advance: number | null;
  readonly grace: number | null;
  readonly retention: number | null;
}

// ---------------------------------------------------------------- expressions

export type Expression =
  | { readonly kind: 'null'; readonly span: Span }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly span: Span }
  /** digits as written: type and exact value are decided by the resolver (INT, BIGINT, DECIMAL; DOUBLE with exponent) */
  | { readonly kind: 'number'; readonly text: string; readonly span: Span }
  | { readonly kind: 'string'; readonly value: string; readonly span: Span }
  /** DATE '...', TIME '...', TIMESTAMP '...', INTERVAL '...' unit is in `unit` */
  | {
      readonly kind: 'typedLiteral';
      readonly type: 'date' | 'time' | 'timestamp' | 'interval';
      readonly value: string;
      readonly unit: string | null;
      readonly span: Span;
    }
  /** a bare unit or duration as an argument: `7 DAYS`, `SECONDS` (TIMESTAMPADD(MINUTES, 5, t)) */
  | { readonly kind: 'duration'; readonly amount: number; readonly unit: TimeUnit; readonly span: Span }
  | { readonly kind: 'unit'; readonly unit: TimeUnit; readonly span: Span }
  | {
      readonly kind: 'column';
      readonly qualifier: Identifier | null;
      readonly name: Identifier;
      readonly span: Span;
    }
  /** `*` inside COUNT(*) */
  | { readonly kind: 'star'; readonly span: Span }
  | {
      readonly kind: 'call';
      readonly name: Identifier;
      readonly args: readonly Expression[];
      readonly distinct: boolean;
      /** of an aggregate: `STRING_AGG(x, sep ORDER BY y)`, or `within`: `MODE() WITHIN GROUP (ORDER BY y)` */
      readonly order?: { readonly items: readonly OrderItem[]; readonly within: boolean } | undefined;
      readonly filter: Expression | null;
      readonly over: OverClause | null;
      readonly span: Span;
    }
  | {
      readonly kind: 'lambda';
      readonly parameters: readonly Identifier[];
      readonly body: Expression;
      readonly span: Span;
    }
  | { readonly kind: 'unary'; readonly op: '-' | '+' | 'not'; readonly arg: Expression; readonly span: Span }
  | {
      readonly kind: 'binary';
      readonly op: BinaryOp;
      readonly left: Expression;
      readonly right: Expression;
      readonly span: Span;
      readonly opSpan: Span;
    }
  | {
      readonly kind: 'between';
      readonly arg: Expression;
      readonly low: Expression;
      readonly high: Expression;
      readonly negated: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'like';
      readonly arg: Expression;
      readonly pattern: Expression;
      readonly escape: Expression | null;
      readonly negated: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'in';
      readonly arg: Expression;
      readonly list: readonly Expression[] | Query;
      readonly negated: boolean;
      readonly span: Span;
    }
  /** `arg op ANY (query)`; `= ANY` and `<> ALL` are IN and NOT IN, other ALLs are NOT of the opposite ANY */
  | {
      readonly kind: 'any';
      readonly arg: Expression;
      readonly op: Comparison;
      readonly query: Query;
      readonly span: Span;
    }
  | { readonly kind: 'exists'; readonly query: Query; readonly span: Span }
  | { readonly kind: 'subquery'; readonly query: Query; readonly span: Span }
  | { readonly kind: 'isNull'; readonly arg: Expression; readonly negated: boolean; readonly span: Span }
  | {
      readonly kind: 'isTruth';
      readonly arg: Expression;
      readonly truth: boolean;
      readonly negated: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'case';
      readonly operand: Expression | null;
      readonly whens: readonly { readonly when: Expression; readonly then: Expression }[];
      readonly otherwise: Expression | null;
      readonly span: Span;
    }
  | { readonly kind: 'cast'; readonly arg: Expression; readonly type: TypeName; readonly span: Span }
  | { readonly kind: 'field'; readonly arg: Expression; readonly name: Identifier; readonly span: Span }
  | { readonly kind: 'subscript'; readonly arg: Expression; readonly index: Expression; readonly span: Span }
  | { readonly kind: 'array'; readonly items: readonly Expression[]; readonly span: Span }
  | {
      readonly kind: 'map';
      readonly entries: readonly { readonly key: Expression; readonly value: Expression }[];
      readonly span: Span;
    }
  | {
      readonly kind: 'struct';
      readonly fields: readonly { readonly name: Identifier; readonly value: Expression }[];
      readonly span: Span;
    }
  | { readonly kind: 'extract'; readonly part: DatePart; readonly arg: Expression; readonly span: Span };

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=';

export type BinaryOp =
  | 'or'
  | 'and'
  | Comparison
  | 'is distinct from'
  | 'is not distinct from'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '||'
  | 'at time zone';

export type TimeUnit =
  | 'MILLISECOND'
  | 'SECOND'
  | 'MINUTE'
  | 'HOUR'
  | 'DAY'
  | 'WEEK'
  | 'MONTH'
  | 'QUARTER'
  | 'YEAR';

/** What EXTRACT takes out of a date or time, as PostgreSQL names it. */
export type DatePart =
  | Exclude<TimeUnit, 'MILLISECOND'>
  | 'MILLISECONDS'
  | 'MICROSECONDS'
  | 'EPOCH'
  | 'DOW'
  | 'ISODOW'
  | 'DOY'
  | 'ISOYEAR'
  | 'DECADE'
  | 'CENTURY'
  | 'MILLENNIUM'
  | 'JULIAN';

export interface OverClause extends NodeBase {
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly OrderItem[];
  /** frame as written, or null */
  readonly frame: string | null;
  /** the named window that it goes on from; the parser fills it in, so that no query has one */
  readonly base?: { readonly name: Identifier; readonly changed: boolean } | undefined;
}

export type TypeName =
  /** a simple or custom type, with DECIMAL's arguments */
  | {
      readonly kind: 'named';
      readonly name: Identifier;
      readonly args: readonly number[];
      readonly span: Span;
    }
  | { readonly kind: 'array'; readonly element: TypeName; readonly span: Span }
  | { readonly kind: 'map'; readonly key: TypeName; readonly value: TypeName; readonly span: Span }
  | {
      readonly kind: 'struct';
      readonly fields: readonly { readonly name: Identifier; readonly type: TypeName }[];
      readonly span: Span;
    };
