import { unreachable } from '../../core/assert.ts';
import type { Statement } from '../../sql/ast.ts';

/** What has no place in a folder of views, and what is to be decided about it. */
export interface Decision {
  /** of the script, from 1 */
  readonly line: number;
  /** the statement on one line */
  readonly statement: string;
  readonly decide: string;
  /** the comments before it that no file keeps, as written, or '' */
  readonly comment: string;
}

type Listed = Exclude<
  Statement,
  { kind: 'createAs' | 'createSource' | 'createType' | 'insertInto' | 'define' | 'undefine' }
>;

/** The advice for a statement that is not taken over. `createdAt` is the line that created what it names, or null. */
export function advice(statement: Listed, createdAt: number | null): string {
  switch (statement.kind) {
    case 'insertValues':
      return `rows are data: put them into a test (${statement.target.name}.test.sql), or send them with \`millrace produce\``;
    case 'select':
      return 'a query without a name: make it a view (CREATE VIEW name AS ... in name.sql), or ask it with `millrace query`';
    case 'drop':
    case 'dropType':
      return createdAt === null
        ? 'the folder says what there is: nothing has to be dropped; a view goes when its file is removed'
        : `line ${createdAt} creates it: remove its file if it is not wanted in the end`;
    case 'alter':
      return 'a declaration is changed in its file: add the columns there';
    case 'assert':
      return 'assertions belong into a test file (*.test.sql)';
    case 'set':
      return statement.property.replaceAll("'", '') === 'auto.offset.reset'
        ? 'views always read their topics from the beginning: leave it out'
        : 'there is no session: what a file needs stands in its WITH (...); leave it out otherwise';
    case 'unset':
      return 'there is no session: leave it out';
    case 'explain':
      return 'ask with `millrace explain NAME`';
    case 'other':
      return ofCommand(statement.command);
    default:
      return unreachable(statement);
  }
}

function ofCommand(command: string): string {
  if (command.includes('CONNECTOR')) {
    return 'connectors run in Kafka Connect: keep it there, and declare the topic that it fills as a source';
  }
  if (command.startsWith('RUN')) return 'import that script as well';
  if (/^(PAUSE|RESUME|TERMINATE)/.test(command)) return 'views run while their file is there: leave it out';
  return 'it only shows something: leave it out (`millrace status`, `check` and `explain` show views)';
}
