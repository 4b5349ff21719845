import type { MillraceError } from '../core/errors.ts';
import { lineColumn, type SourceText } from '../core/span.ts';
import type { FunctionRegistry } from '../expr/registry.ts';
import { Problems } from '../sql/analyse/problems.ts';
import { FORMAT_DEFAULTS, type FormatDefaults, sourceRelation } from '../sql/analyse/source.ts';
import type {
  CreateAs,
  CreateSource,
  Identifier,
  InsertInto,
  SelectStatement,
  Statement,
} from '../sql/ast.ts';
import { Catalog, canonical, canonicalName, type Relation } from '../sql/catalog.ts';
import { parseStatements } from '../sql/parse.ts';
import { assemble } from './assemble.ts';
import {
  type DefineOptions,
  type Definition,
  defineAs,
  defineInsert,
  defineSource,
  defineType,
  openToOutside,
} from './definitions.ts';
import type { DeploymentPlan, SourceSpec } from './plan.ts';
import { relationsNamed } from './relations-named.ts';
import { withSetting } from './settings.ts';

export interface ViewFile {
  /** file name without folder and `.sql`: the view's name */
  readonly name: string;
  readonly source: SourceText;
}

export interface DeploymentOptions {
  readonly functions: FunctionRegistry;
  /** IANA zone of CURRENT_DATE and of conversions without a zone; part of every fingerprint */
  readonly zone: string;
  /** files that declare sources and types for all views */
  readonly sourceFiles: readonly SourceText[];
  /** sources declared elsewhere (pipelines/*.yaml) */
  readonly sources?: readonly SourceSpec[] | undefined;
  /** formats that declarations may leave out */
  readonly defaults?: FormatDefaults | undefined;
}

export interface FileResult {
  readonly name: string;
  readonly file: string;
  /** name of the planned view, or null when the file has errors */
  readonly view: string | null;
  readonly errors: readonly MillraceError[];
}

export interface DeploymentResult {
  /** everything without errors: one broken file does not take the others down */
  readonly plan: DeploymentPlan;
  readonly files: readonly FileResult[];
  /** of all files, sources too */
  readonly errors: readonly MillraceError[];
  readonly catalog: Catalog;
}

/** Plans the files of `views/`: sources of all, then each view behind what it reads. */
export function planDeployment(files: readonly ViewFile[], options: DeploymentOptions): DeploymentResult {
  return new Deployment(files, options).result();
}

interface ParsedFile {
  readonly name: string;
  readonly problems: Problems;
  /** what the file defines, as it is first named; null when it holds nothing */
  readonly defines: Identifier | null;
  readonly view: CreateAs | null;
  /** further queries of the stream that the file is named after */
  readonly inserts: readonly InsertInto[];
  readonly statements: readonly Statement[];
}

const NOWHERE = { start: 0, end: 0 };

class Deployment {
  readonly #options: DeploymentOptions;
  readonly #files: readonly ParsedFile[];
  readonly #sourceProblems: Problems[] = [];
  readonly #definitions = new Map<string, Definition>();
  /** files by the canonical name of their view */
  readonly #byView = new Map<string, ParsedFile>();
  readonly #state = new Map<string, 'open' | 'done' | 'broken'>();
  readonly #catalogs = new Map<ParsedFile, { catalog: Catalog; defaults: FormatDefaults }>();
  #catalog = Catalog.empty;

  constructor(files: readonly ViewFile[], options: DeploymentOptions) {
    this.#options = options;
    this.#declareSources();
    const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    this.#files = sorted.map(file => parseFile(file));
    for (const file of this.#files) this.#declareOwn(file);
    for (const file of this.#files) {
      if (file.defines) this.#nameView(file, file.defines);
      else this.#byView.set(file.name.toUpperCase(), file);
    }
    for (const name of this.#byView.keys()) this.#planView(name, []);
  }

  result(): DeploymentResult {
    const assembled = assemble({
      definitions: [...this.#definitions.values()],
      sources: [...this.#catalog.relations()].flatMap(r => (r.source ? [r.source] : [])),
      functions: this.#options.functions,
      zone: this.#options.zone,
    });
    const planned = new Set(assembled.plan.views.map(v => v.name));
    for (const error of assembled.errors) {
      this.#files.find(f => f.problems.source === error.place?.source)?.problems.add(error);
    }
    for (const file of this.#files) {
      const { defines, problems } = file;
      if (!defines || planned.has(this.#nameOf(defines)) || problems.count > 0) continue;
      problems.report('invalid_statement', defines.span, `"${defines.name}" reads a view that has errors`);
    }
    const files = this.#files.map((file): FileResult => {
      const { errors, source } = file.problems;
      const view = errors.length === 0 && file.defines ? this.#nameOf(file.defines) : null;
      return { name: file.name, file: source.file, view, errors };
    });
    const errors = [...this.#sourceProblems.flatMap(p => p.errors), ...files.flatMap(f => f.errors)];
    return { plan: assembled.plan, files, errors, catalog: this.#catalog };
  }

  #define(problems: Problems, catalog: Catalog, defaults?: FormatDefaults): DefineOptions {
    return {
      catalog,
      problems,
      functions: this.#options.functions,
      zone: this.#options.zone,
      defaults: defaults ?? this.#options.defaults ?? FORMAT_DEFAULTS,
      topicOf: name => name.name,
    };
  }

  #declareSources(): void {
    for (const source of this.#options.sources ?? []) {
      const problems = new Problems({ file: 'pipelines', text: '' });
      this.#sourceProblems.push(problems);
      this.#add(
        sourceRelation(
          source,
          { name: { name: source.name, quoted: false, span: NOWHERE }, readOnly: false },
          problems,
        ),
        problems,
      );
    }
    for (const source of this.#options.sourceFiles) {
      const problems = new Problems(source);
      this.#sourceProblems.push(problems);
      const parsed = parseStatements(source);
      for (const error of parsed.errors) problems.add(error);
      let defaults = this.#options.defaults ?? FORMAT_DEFAULTS;
      for (const statement of parsed.statements) {
        problems.attempt(() => {
          switch (statement.kind) {
            case 'createSource':
              this.#add(defineSource(statement, this.#define(problems, this.#catalog, defaults)), problems);
              return;
            case 'createType':
              this.#catalog = defineType(statement, this.#define(problems, this.#catalog, defaults));
              return;
            case 'set':
              defaults = withSetting(defaults, statement.property, statement.value);
              return;
            default:
              throw problems.error(
                'invalid_statement',
                headOf(statement),
                'a file of sources holds CREATE STREAM, CREATE TABLE, CREATE TYPE and SET only',
                'a view stands in its own file in views/',
              );
          }
        });
      }
    }
  }

  /** A name may be defined once; the error names both places. */
  #add(relation: Relation, problems: Problems): void {
    const existing = this.#catalog.get(canonicalName(relation.name, relation.quoted));
    if (existing) throw twice(relation, existing, problems);
    this.#catalog = this.#catalog.with(relation);
  }

  /** Declarations before the view; types stay in the file. */
  #declareOwn(file: ParsedFile): void {
    const { problems } = file;
    let defaults = this.#options.defaults ?? FORMAT_DEFAULTS;
    let types = Catalog.empty;
    for (const statement of file.statements) {
      problems.attempt(() => {
        const catalog = withTypes(this.#catalog, types);
        if (statement.kind === 'createSource') {
          this.#add(defineSource(statement, this.#define(problems, catalog, defaults)), problems);
        } else if (statement.kind === 'createType') {
          types = defineType(statement, this.#define(problems, catalog, defaults));
        } else if (statement.kind === 'set') {
          defaults = withSetting(defaults, statement.property, statement.value);
        }
      });
    }
    this.#catalogs.set(file, { catalog: types, defaults });
  }

  #nameView(file: ParsedFile, defines: Identifier): void {
    const { problems, view, inserts } = file;
    const declared = this.#catalog.find(defines);
    const name = declared && !view ? canonicalName(declared.name, declared.quoted) : canonical(defines);
    if (view && defines.name.toUpperCase() !== file.name.toUpperCase()) {
      problems.report(
        'name_mismatch',
        defines.span,
        `the file ${problems.source.file} holds the view "${defines.name}"`,
        `call the view ${file.name}, or the file ${defines.name}.sql`,
      );
    }
    for (const { target } of inserts) {
      if (target.name.toUpperCase() === file.name.toUpperCase()) continue;
      problems.report(
        'name_mismatch',
        target.span,
        `the file ${problems.source.file} feeds "${target.name}"`,
        `all queries of a stream stand in its own file: move this one to ${target.name}.sql`,
      );
    }
    const other = this.#byView.get(name);
    // a declared source that INSERT INTO feeds is the view's own declaration
    const source = view ? this.#catalog.get(name) : undefined;
    const place = other?.defines
      ? { source: other.problems.source, span: other.defines.span }
      : source?.place;
    if (place) problems.add(definedTwice(defines.name, problems, defines.span, place));
    else this.#byView.set(name, file);
  }

  /** A declared source keeps the spelling of its declaration. */
  #nameOf(defines: Identifier): string {
    return this.#catalog.find(defines)?.name ?? defines.name;
  }

  /** Depth first: what a view reads is planned before it. Returns whether it could be planned. */
  #planView(name: string, path: readonly string[]): boolean {
    const file = this.#byView.get(name);
    if (!file?.defines) return file === undefined;
    const known = this.#state.get(name);
    if (known === 'done') return true;
    if (known === 'broken') return false;
    if (known === 'open') {
      this.#reportCycle(path.slice(path.indexOf(name)));
      return false;
    }
    this.#state.set(name, 'open');
    const { problems, view, inserts } = file;
    let readable = true;
    for (const named of [...(view ? [view] : []), ...inserts].flatMap(s => relationsNamed(s.query))) {
      const below = canonical(named);
      if (this.#planView(below, [...path, name]) || problems.count > 0) continue;
      readable = false;
      problems.report(
        'invalid_statement',
        named.span,
        `"${named.name}" has errors of its own`,
        this.#whereOf(below),
      );
    }
    const planned = problems.count === 0 && readable && this.#analyse(file, name);
    this.#state.set(name, planned ? 'done' : 'broken');
    return planned;
  }

  #whereOf(name: string): string | undefined {
    const file = this.#byView.get(name);
    return file && `mend ${file.problems.source.file} first`;
  }

  #analyse(file: ParsedFile, name: string): boolean {
    const { problems, view, inserts } = file;
    const own = this.#catalogs.get(file);
    const others = this.#files.filter(f => f !== file && f.defines).map(f => f.name);
    let catalog = withTypes(this.#catalog, own?.catalog ?? Catalog.empty).besides(others);
    const definition = problems.attempt(() => {
      let defined: Definition | undefined;
      if (view) {
        defined = defineAs(view, this.#define(problems, catalog, own?.defaults));
        catalog = catalog.with(defined.relation);
      }
      for (const insert of inserts) {
        defined = defineInsert(insert, defined, this.#define(problems, catalog, own?.defaults));
      }
      return defined && inserts.length > 0 ? openToOutside(defined) : defined;
    });
    if (!definition || problems.count > 0) return false;
    this.#catalog = this.#catalog.with(definition.relation);
    this.#definitions.set(name, definition);
    return true;
  }

  /** Every file on the circle gets the error. */
  #reportCycle(names: readonly string[]): void {
    const files = names.flatMap(n => this.#byView.get(n) ?? []);
    for (const [i, file] of files.entries()) {
      const turned = [...files.slice(i), ...files.slice(0, i), file];
      const circle = turned.map(f => f.defines?.name ?? f.name).join(' -> ');
      const span = file.defines?.span ?? { start: 0, end: 0 };
      file.problems.report('cyclic_views', span, `views read each other in a circle: ${circle}`);
    }
  }
}

function parseFile(file: ViewFile): ParsedFile {
  const problems = new Problems(file.source);
  const parsed = parseStatements(file.source);
  for (const error of parsed.errors) problems.add(error);
  const views: CreateAs[] = [];
  const inserts: InsertInto[] = [];
  for (const statement of parsed.statements) {
    switch (statement.kind) {
      case 'createAs':
        views.push(statement);
        break;
      case 'select':
        views.push(named(statement, file.name));
        break;
      case 'insertInto':
        inserts.push(statement);
        break;
      case 'createSource':
        if (views.length + inserts.length > 0) afterView(statement, problems);
        break;
      case 'createType':
      case 'set':
      case 'unset':
      case 'define':
      case 'undefine':
        break;
      default:
        problems.report(
          'invalid_statement',
          headOf(statement),
          'a file in views/ holds declarations of sources and one view, with the INSERT INTO ... SELECT that feed it',
          statement.kind === 'insertValues' || statement.kind === 'assert'
            ? 'rows and assertions belong into a test file'
            : undefined,
        );
    }
  }
  const [view = null, second] = views;
  if (second) {
    problems.report(
      'invalid_statement',
      second.name.span,
      'a file in views/ holds one view only',
      'put this one into its own file',
    );
  }
  const defines = view?.name ?? inserts[0]?.target ?? null;
  if (!defines && problems.count === 0) {
    const span = { start: 0, end: Math.min(1, file.source.text.length) };
    problems.report(
      'invalid_statement',
      span,
      'the file holds no view',
      'write SELECT ... or CREATE VIEW ... AS SELECT ...',
    );
  }
  return { name: file.name, problems, defines, view, inserts, statements: parsed.statements };
}

function afterView(statement: CreateSource, problems: Problems): void {
  problems.report('invalid_statement', statement.name.span, 'sources are declared before the view');
}

/** A bare SELECT is a view named after its file. */
function named(statement: SelectStatement, name: string): CreateAs {
  const { start } = statement.span;
  return {
    kind: 'createAs',
    what: 'view',
    name: { name, quoted: false, span: { start, end: start + 'SELECT'.length } },
    orReplace: false,
    ifNotExists: false,
    properties: [],
    query: statement.query,
    comment: statement.comment,
    span: statement.span,
  };
}

function headOf(statement: Statement) {
  const { start, end } = statement.span;
  return { start, end: Math.min(end, start + 20) };
}

function withTypes(catalog: Catalog, types: Catalog): Catalog {
  return types.types().reduce((all, type) => all.withType(type), catalog);
}

function twice(relation: Relation, existing: Relation, problems: Problems): MillraceError {
  return definedTwice(relation.name, problems, relation.place.span, existing.place);
}

function definedTwice(
  name: string,
  problems: Problems,
  span: Relation['place']['span'],
  first: Relation['place'],
): MillraceError {
  const at = lineColumn(first.source.text, first.span.start);
  const where = `${first.source.file}:${at.line}:${at.column}`;
  return problems.error(
    'duplicate_name',
    span,
    `"${name}" is defined twice: here and at ${where}`,
    'remove one of them, or give it another name',
  );
}
