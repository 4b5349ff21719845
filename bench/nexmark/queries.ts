import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NEXMARK_TOPICS } from './records.ts';

const views = join(import.meta.dirname, 'views');

export interface NexmarkQuery {
  /** of its view, and of its file: `q0` to `q22` */
  readonly name: string;
  /** what it asks, as its file says */
  readonly title: string;
  /** its view and the declarations of all sources */
  readonly sql: string;
  /** the topics that it reads */
  readonly topics: readonly string[];
}

const { person, auction, bid, sideInput } = NEXMARK_TOPICS;

const READS: Readonly<Record<string, readonly string[]>> = {
  q3: [person, auction],
  q4: [auction, bid],
  q6: [auction, bid],
  q8: [person, auction],
  q9: [auction, bid],
  q13: [bid, sideInput],
  q20: [auction, bid],
};

/** The declarations of all sources. */
export function nexmarkSources(): string {
  const folder = join(views, 'sources');
  return readdirSync(folder)
    .sort()
    .map(file => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}

export const NEXMARK_QUERIES: readonly NexmarkQuery[] = Array.from({ length: 23 }, (_, i) => {
  const name = `q${i}`;
  const view = readFileSync(join(views, `${name}.sql`), 'utf8');
  const title = view.slice(3, view.indexOf('\n')).replace(/\.$/, '');
  return { name, title, sql: `${nexmarkSources()}\n${view}`, topics: READS[name] ?? [bid] };
});
