import { MillraceError } from '../../core/errors.ts';
import { lineColumn, type SourceText } from '../../core/span.ts';
import type { CreateAs, CreateSource, CreateType, Identifier, InsertInto, Statement } from '../../sql/ast.ts';
import { canonical } from '../../sql/catalog.ts';
import { parseStatements } from '../../sql/parse.ts';
import { advice, type Decision } from './decisions.ts';
import { WrittenText } from './written-text.ts';

export interface ImportedFile {
  /** below the folder of views, with `/` */
  readonly path: string;
  readonly text: string;
  /** of the script, from 1: where its (first) statement begins */
  readonly line: number;
}

export interface ImportPlan {
  readonly files: readonly ImportedFile[];
  /** in the order of the script */
  readonly decisions: readonly Decision[];
  /** statements that cannot be read */
  readonly errors: readonly MillraceError[];
}

/** Sources are read by name of their file: types come before what uses them. */
const TYPES = 'sources/0-types.sql';
const LONGEST_NAME = 120;
/** words that ksqlDB takes as names and this dialect does not */
const NEWLY_RESERVED = new Set(['UNION', 'INTERSECT', 'EXCEPT']);
const FORMAT_SETTING = /^'?ksql\.persistence\.(default\.format\.(key|value)|wrap\.single\.values)'?$/;

/** Splits a KSQL script into the files of a folder of views. Pure: nothing is read or written. */
export function splitScript(script: SourceText): ImportPlan {
  return new Splitter(script).run();
}

type Kept = CreateAs | CreateSource | CreateType | InsertInto;

class Splitter {
  readonly #script: SourceText;
  readonly #written: WrittenText;
  readonly #values = new Map<string, string>();
  /** format settings in force, by name: they stand at the head of every later file */
  readonly #settings = new Map<string, string>();
  /** by lower-case path: file systems may not tell case apart */
  readonly #files = new Map<string, ImportedFile>();
  readonly #createdAt = new Map<string, number>();
  /** as they are spelled where they are created */
  readonly #names = new Map<string, string>();
  readonly #decisions: Decision[] = [];
  #comments: string[] = [];

  constructor(script: SourceText) {
    this.#script = script;
    this.#written = new WrittenText(script);
  }

  run(): ImportPlan {
    const parsed = parseStatements(this.#script);
    for (const statement of parsed.statements) this.#take(statement);
    const errors = parsed.errors.map(error => this.#explained(error));
    return { files: [...this.#files.values()], decisions: this.#decisions, errors };
  }

  #take(statement: Statement): void {
    switch (statement.kind) {
      case 'createAs':
        this.#keepRelation(statement, '');
        return;
      case 'createSource':
        this.#keepRelation(statement, 'sources/');
        return;
      case 'createType':
        this.#keepType(statement);
        return;
      case 'insertInto':
        this.#keepInsert(statement);
        return;
      case 'define':
        this.#values.set(statement.name.name.toUpperCase(), statement.value);
        this.#holdComments(statement);
        return;
      case 'undefine':
        this.#values.delete(statement.name.name.toUpperCase());
        this.#holdComments(statement);
        return;
      case 'set':
        if (FORMAT_SETTING.test(statement.property)) {
          this.#settings.set(statement.property, this.#written.statement(statement, this.#values));
          this.#holdComments(statement);
          return;
        }
        break;
      case 'unset':
        this.#settings.delete(statement.property);
        break;
      default:
    }
    const named = nameIn(statement);
    this.#decide(statement, advice(statement, (named && this.#createdAt.get(canonical(named))) ?? null));
  }

  #keepRelation(statement: CreateAs | CreateSource, folder: string): void {
    const { name } = statement.name;
    const wrong = unfitFileName(name);
    if (wrong !== null) {
      this.#decide(statement, `${wrong}: give it another name, and a file of that name`);
      return;
    }
    const key = canonical(statement.name);
    const first = this.#createdAt.get(key);
    if (first !== undefined && !statement.orReplace) {
      this.#decide(
        statement,
        statement.ifNotExists
          ? `line ${first} creates it already: this one never counts`
          : `line ${first} creates "${name}" already and is kept: decide which of the two is meant`,
      );
      return;
    }
    if (first !== undefined) {
      this.#forget(name);
      this.#decide(statement, `it replaces what line ${first} creates: only this last one is kept`, true);
    }
    const clash = ['', 'sources/'].map(f => this.#files.get(`${f}${name}.sql`.toLowerCase())).find(f => f);
    if (clash) {
      this.#decide(statement, `its file would be ${clash.path} of line ${clash.line}: rename one of them`);
      return;
    }
    this.#createdAt.set(key, this.#lineOf(statement));
    this.#names.set(key, name);
    this.#add(`${folder}${name}.sql`, statement);
    if (statement.kind === 'createAs' && statement.what !== 'view') this.#nameTopic(statement);
  }

  /** All queries of a stream stand in its own file. */
  #keepInsert(statement: InsertInto): void {
    const { target } = statement;
    const name = this.#names.get(canonical(target)) ?? target.name;
    const wrong = unfitFileName(name);
    if (wrong === null) this.#add(`${name}.sql`, statement);
    else this.#decide(statement, `${wrong}: give it another name, and a file of that name`);
  }

  /** ksqlDB calls a topic in upper case, Millrace as the name is spelled: who reads it elsewhere must know. */
  #nameTopic(statement: CreateAs): void {
    const { name } = statement.name;
    const isNamed = statement.properties.some(p => p.name.name.toUpperCase() === 'KAFKA_TOPIC');
    if (isNamed || name === canonical(statement.name)) return;
    this.#decide(
      statement,
      `its topic is called "${name}" here and "${canonical(statement.name)}" in ksqlDB: add WITH (KAFKA_TOPIC = '${canonical(statement.name)}') when others read it`,
      true,
    );
  }

  #keepType(statement: CreateType): void {
    const key = `type ${statement.name.name.toUpperCase()}`;
    const first = this.#createdAt.get(key);
    if (first !== undefined) {
      this.#decide(
        statement,
        `line ${first} creates this type already and is kept: give this one another name`,
      );
      return;
    }
    this.#createdAt.set(key, this.#lineOf(statement));
    this.#add(TYPES, statement);
  }

  #add(path: string, statement: Kept): void {
    const existing = this.#files.get(path.toLowerCase());
    const comments = [...this.#comments, this.#written.commentsBefore(statement)].filter(c => c !== '');
    this.#comments = [];
    const settings = statement.kind === 'createType' ? [] : [...this.#settings.values()];
    const own = this.#written.statement(statement, this.#values);
    const text = [...settings, ...comments, own].join('\n');
    this.#files.set(path.toLowerCase(), {
      path,
      text: existing ? `${existing.text}\n${text}\n` : `${text}\n`,
      line: existing?.line ?? this.#lineOf(statement),
    });
  }

  #forget(name: string): void {
    for (const folder of ['', 'sources/']) this.#files.delete(`${folder}${name}.sql`.toLowerCase());
  }

  /** Comments of a statement that leaves no trace go with the next one. */
  #holdComments(statement: Statement): void {
    const comments = this.#written.commentsBefore(statement);
    if (comments !== '') this.#comments.push(comments);
  }

  #decide(statement: Statement, decide: string, kept = false): void {
    const { start, end } = statement.span;
    const text = this.#script.text.slice(start, end).replaceAll(/\s+/g, ' ');
    const comment = kept ? '' : this.#written.commentsBefore(statement);
    this.#decisions.push({ line: this.#lineOf(statement), statement: text, decide, comment });
  }

  #lineOf(statement: Statement): number {
    return lineColumn(this.#script.text, statement.span.start).line;
  }

  #explained(error: MillraceError): MillraceError {
    const { place } = error;
    const word = place && /^\w+/.exec(place.source.text.slice(place.span.start))?.[0];
    if (!place || !word || !NEWLY_RESERVED.has(word.toUpperCase())) return error;
    const hint = `${word.toUpperCase()} is reserved here: as a name it is written in backquotes, \`${word}\``;
    return new MillraceError(error.code, error.message, { place, hint, cause: error });
  }
}

/** Why a name cannot be the name of a file, or null. */
function unfitFileName(name: string): string | null {
  if (name.length > LONGEST_NAME)
    return `a name of more than ${LONGEST_NAME} characters is too long for a file`;
  if (name.startsWith('.')) return 'a file whose name begins with a dot is not read';
  if (/\.test$/i.test(name)) return 'a file *.test.sql is a test';
  // what some file system refuses
  const odd = [...name].find(c => c < ' ' || '/\\:*?"<>|\u007f'.includes(c));
  return odd === undefined ? null : `a file cannot have ${JSON.stringify(odd)} in its name`;
}

function nameIn(statement: Statement): Identifier | null {
  switch (statement.kind) {
    case 'drop':
    case 'alter':
      return statement.name;
    case 'dropType': {
      const { name } = statement;
      return { ...name, name: `type ${name.name.toUpperCase()}`, quoted: true };
    }
    default:
      return null;
  }
}
