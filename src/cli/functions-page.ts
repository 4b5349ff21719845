import { completeAggregate } from '../expr/aggregates/complete.ts';
import type { FunctionEntry } from '../expr/functions.ts';

export function aliasesOf(entry: FunctionEntry): readonly string[] {
  return entry.kind === 'table' ? [] : (entry.aliases ?? []);
}

/** As one writes a call: `LPAD(STRING, INT, STRING) -> STRING` */
export function signaturesOf(entry: FunctionEntry): readonly string[] {
  return entry.overloads.map(o => `${entry.name}${o.signature}`);
}

const HEAD = `# Functions

This page is made from the functions themselves (\`npx millrace functions --markdown\`); \`npx millrace functions NAME\` shows
one. Names are matched without case. Single letters stand for any type. A NULL argument gives NULL unless said otherwise.
What fails on a row (a division by zero, text that is no number) gives NULL and an entry in the ledger. A lambda is written
\`x => ...\` or \`(x, y) => ...\`: \`TRANSFORM(tags, t => UCASE(t))\`.

Aggregates stand beside \`GROUP BY\`; table functions such as \`EXPLODE\` make rows.`;

/** `docs/functions.md`. */
export function functionsPage(entries: readonly FunctionEntry[]): string {
  const shown = entries.filter(e => !isInternal(e));
  const titles = [...new Set(shown.map(e => titleOf(e)))].sort((a, b) => (a < b ? -1 : 1));
  const described = new Map(entries.map(e => [e.name, e.description]));
  const parts = titles.map(title => {
    const own = shown.filter(e => titleOf(e) === title).sort((a, b) => (a.name < b.name ? -1 : 1));
    return `## ${title}\n\n| function | what it gives |\n|---|---|\n${own.map(entry => row(entry, described)).join('\n')}`;
  });
  return [HEAD, ...parts].join('\n\n');
}

function row(entry: FunctionEntry, described: ReadonlyMap<string, string>): string {
  const aliases = aliasesOf(entry);
  const also = aliases.length === 0 ? '' : ` Also called ${aliases.map(a => `\`${a}\``).join(', ')}.`;
  const signatures = signaturesOf(entry).map(s => `\`${escaped(s)}\``);
  return `| ${signatures.join('<br>')} | ${escaped(entry.description)}${also}${inViews(entry, described)} |`;
}

/** What full SQL makes of the same name. */
function inViews(entry: FunctionEntry, described: ReadonlyMap<string, string>): string {
  const name = entry.kind === 'scalar' ? entry.complete : completeAggregate(entry.name, []);
  const meaning = name === undefined || name === entry.name ? undefined : described.get(name);
  return meaning === undefined ? '' : ` *In CREATE VIEW and SELECT:* ${escaped(meaning)}`;
}

function titleOf({ kind, category }: FunctionEntry): string {
  if (kind === 'aggregate') return 'Aggregates';
  if (kind === 'table') return 'Table functions';
  return category.charAt(0).toUpperCase() + category.slice(1);
}

/** Entries that complete SQL puts in the place of others; nobody calls them by name. */
function isInternal({ name }: FunctionEntry): boolean {
  return /_IN_DOMAIN$|_OR_NULL$|^AVG_DECIMAL$|^ROUND_HALF_AWAY$/.test(name);
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}
