import { resolve } from 'node:path';
import type { Config } from './config.ts';
import { assert } from './core/assert.ts';
import { MillraceError } from './core/errors.ts';
import type { MissedChanges } from './deploy/missed-changes.ts';
import type { ViewAccess } from './deploy/view-access.ts';
import { jsonWriter } from './expr/value-json.ts';
import type { EventLog } from './log/event-log.ts';
import type { ViewPlan } from './plan/plan.ts';
import { fileSink } from './sinks/file/file-target.ts';
import type { Sink } from './sinks/sink-runner.ts';
import type { JsonOf } from './sinks/sink-target.ts';
import type { SinkViews } from './sinks/view-following.ts';

export interface SunkViewsPorts {
  readonly log: EventLog;
  readonly views: ViewAccess;
  /** the views that are served now */
  readonly plans: () => readonly ViewPlan[];
  readonly missed: MissedChanges;
}

/**
 * The served views as a source for sinks. Changes that a feed no longer keeps are computed again only while the log has
 * all that the view reads: a sink can load the rows anew instead.
 */
export function sunkViews({ log, views, plans, missed }: SunkViewsPorts): SinkViews {
  return {
    open: name => views.open(name),
    subscribe: (name, from, listener) => views.subscribe(name, from, listener),
    position: () => views.position(),
    waitFor: (seq, ms) => views.waitFor(seq, ms),
    missed: name => {
      const topics = plans().find(p => p.name === name)?.topics ?? [];
      return topics.some(topic => log.topic(topic)?.floor !== undefined) ? null : missed;
    },
  };
}

export interface Surroundings {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The sinks as they are configured. Throws `config_invalid` for a variable that is not set. */
export async function configuredSinks(config: Config, { dataDir, env }: Surroundings): Promise<Sink[]> {
  const makes = config.sinks.map(async ({ name, view, takeOver, postgres, file }) => {
    if (file !== undefined) {
      // as in HTTP: exact for every reader of JSON
      const json: JsonOf = type => jsonWriter(type, { numbers: 'string' });
      return {
        name,
        view,
        takeOver,
        kind: fileSink({ sink: name, path: resolve(dataDir, file.path), json }),
      };
    }
    assert(postgres !== undefined, 'a sink has a place');
    const { schema, table, connection } = postgres;
    const url = connectionOf(name, connection, env);
    const json: JsonOf = type => jsonWriter(type, { numbers: 'json' });
    // the client of PostgreSQL is loaded where it is used
    const { postgresSink } = await import('./sinks/postgres/postgres-target.ts');
    return { name, view, takeOver, kind: postgresSink({ sink: name, url, schema, table, json }) };
  });
  return Promise.all(makes);
}

function connectionOf(sink: string, connection: string, env: NodeJS.ProcessEnv): string {
  if (!connection.startsWith('$')) return connection;
  const url = env[connection.slice(1)];
  if (url !== undefined && url !== '') return url;
  throw new MillraceError(
    'config_invalid',
    `sink ${sink} takes its connection from ${connection}, which is not set`,
    { hint: `export ${connection.slice(1)}=postgres://user:password@host:5432/database` },
  );
}
