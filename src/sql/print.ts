import { unreachable } from '../core/assert.ts';
import type {
  AssertStatement,
  ColumnDefinition,
  Expression,
  Identifier,
  Property,
  Statement,
  TypeName,
} from './ast.ts';
import {
  durationText,
  fieldText,
  identifierText,
  isBareWord,
  stringText,
  typeNameText,
} from './print/lexical.ts';
import { expressions, namesText, queryText, rowText } from './print/query-text.ts';

/**
 * Canonical SQL: one line, keywords in upper case, names as written, the fewest parentheses.
 * For every tree that the parser makes, parsing the text gives the same tree with other spans.
 */
export function printStatement(statement: Statement, options: { readonly comments?: boolean } = {}): string {
  const text = bareText(statement);
  if (!options.comments || statement.comment === '') return text;
  const lines = statement.comment.split('\n').map(line => `-- ${line}`.trimEnd());
  return `${lines.join('\n')}\n${text}`;
}

export function printExpression(expression: Expression): string {
  return expressions.text(expression);
}

export function printTypeName(type: TypeName): string {
  return typeNameText(type);
}

function bareText(s: Statement): string {
  switch (s.kind) {
    case 'createSource': {
      const source = s.readOnly ? 'SOURCE ' : '';
      const head = `CREATE ${s.orReplace ? 'OR REPLACE ' : ''}${source}${s.what.toUpperCase()} ${notExists(s.ifNotExists)}`;
      return head + identifierText(s.name) + columnsText(s.columns) + withText(s.properties);
    }
    case 'createAs': {
      const head = `CREATE ${s.orReplace ? 'OR REPLACE ' : ''}${s.what.toUpperCase()} ${notExists(s.ifNotExists)}`;
      return `${head}${identifierText(s.name)}${withText(s.properties)} AS ${queryText(s.query)}`;
    }
    case 'insertInto':
      return `INSERT INTO ${identifierText(s.target)}${withText(s.properties)} ${queryText(s.query)}`;
    case 'insertValues':
      return `INSERT INTO ${identifierText(s.target)}${namesText(s.columns)} VALUES ${s.rows.map(rowText).join(', ')}`;
    case 'select':
      return queryText(s.query);
    case 'createType':
      return `CREATE TYPE ${notExists(s.ifNotExists)}${identifierText(s.name)} AS ${typeNameText(s.type)}`;
    case 'drop': {
      const head = `DROP ${s.what.toUpperCase()} ${s.ifExists ? 'IF EXISTS ' : ''}${identifierText(s.name)}`;
      return s.deleteTopic ? `${head} DELETE TOPIC` : head;
    }
    case 'dropType':
      return `DROP TYPE ${s.ifExists ? 'IF EXISTS ' : ''}${identifierText(s.name)}`;
    case 'alter': {
      const added = s.add.map(c => `ADD COLUMN ${columnText(c)}`).join(', ');
      return `ALTER ${s.what.toUpperCase()} ${identifierText(s.name)} ${added}`;
    }
    case 'assert':
      return assertText(s);
    case 'define':
      return `DEFINE ${identifierText(s.name)} = ${stringText(s.value)}`;
    case 'undefine':
      return `UNDEFINE ${identifierText(s.name)}`;
    case 'set':
      return `SET ${stringText(s.property)} = ${stringText(s.value)}`;
    case 'unset':
      return `UNSET ${stringText(s.property)}`;
    case 'explain':
      return `EXPLAIN ${'kind' in s.target ? bareText(s.target) : identifierText(s.target)}`;
    case 'other':
      return s.command;
    default:
      return unreachable(s);
  }
}

function notExists(ifNotExists: boolean): string {
  return ifNotExists ? 'IF NOT EXISTS ' : '';
}

function columnsText(columns: readonly ColumnDefinition[]): string {
  return columns.length > 0 ? ` (${columns.map(columnText).join(', ')})` : '';
}

function columnText(column: ColumnDefinition): string {
  const head = `${identifierText(column.name)} ${typeNameText(column.type)}`;
  switch (column.constraint) {
    case null:
      return head;
    case 'key':
      return `${head} KEY`;
    case 'primaryKey':
      return `${head} PRIMARY KEY`;
    case 'headers':
      return `${head} HEADERS`;
    case 'header':
      return `${head} HEADER(${stringText(column.header ?? '')})`;
  }
}

function withText(properties: readonly Property[]): string {
  if (properties.length === 0) return '';
  return ` WITH (${properties.map(p => `${propertyName(p.name)} = ${expressions.text(p.value)}`).join(', ')})`;
}

function propertyName(name: Identifier): string {
  return name.quoted || isBareWord(name.name) ? fieldText(name) : stringText(name.name);
}

function assertText(s: AssertStatement): string {
  const target = s.target ? identifierText(s.target) : '';
  const timeout = s.timeout === null ? '' : ` TIMEOUT ${durationText(s.timeout)}`;
  const not = s.not ? 'NOT EXISTS ' : '';
  switch (s.what) {
    case 'values':
      return `ASSERT VALUES ${target}${namesText(s.columns)} VALUES ${rowText(s.values)}`;
    case 'nullValues':
      return `ASSERT NULL VALUES ${target}${namesText(s.columns)} KEY ${rowText(s.values)}`;
    case 'stream':
    case 'table':
      return `ASSERT ${s.what.toUpperCase()} ${target}${columnsText(s.definition)}${withText(s.properties)}`;
    case 'topic':
      return `ASSERT ${not}TOPIC ${target}${withText(s.properties)}${timeout}`;
    case 'schema': {
      const subject = s.target ? ` SUBJECT ${target}` : '';
      const id = s.values[0] ? ` ID ${expressions.text(s.values[0])}` : '';
      return `ASSERT ${not}SCHEMA${subject}${id}${timeout}`;
    }
    case 'clock':
      return `ADVANCE CLOCK TO ${s.values[0] ? expressions.text(s.values[0]) : "''"}`;
  }
}
