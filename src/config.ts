import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Document, isScalar, parseDocument } from 'yaml';
import { z } from 'zod';
import { parseByteSize } from './core/byte-size.ts';
import { type ErrorPlace, MillraceError, MillraceErrors } from './core/errors.ts';
import { holdsSecret } from './core/secret-lines.ts';
import { lineColumn, type SourceText, type Span } from './core/span.ts';
import type { TopicUpkeep } from './deploy/log-retention.ts';
import { knownKeys } from './known-settings.ts';
import type { TopicSpec } from './log/event-log.ts';
import { DEFAULT_MEMORY_BUDGET, memoryBudget } from './memory-setting.ts';
import { closest } from './sql/suggest.ts';

/** `pipelines/*.yaml`, validated and frozen. Paths are absolute, durations ms. */
export interface Config {
  readonly server: { readonly host: string; readonly port: number };
  readonly dataFolder: string;
  readonly memory: {
    /** bytes of operator state that all views together may have */
    readonly budget: number;
  };
  readonly views: { readonly folder: string; readonly watch: boolean; readonly zone: string };
  /** `module`: path of the module that lays the sample history down */
  readonly sample: { readonly enabled: boolean; readonly seed: number; readonly module: string };
  readonly topics: readonly TopicSpec[];
  /** what is taken from topics, by name; a topic that is not there keeps everything */
  readonly upkeep: ReadonlyMap<string, TopicUpkeep>;
  readonly commands: Readonly<
    Record<string, { readonly keepResultsFor: number; readonly cacheSize: number }>
  >;
  readonly reactions: readonly {
    readonly module: string;
    readonly settings: Readonly<Record<string, unknown>>;
  }[];
  /** URLs of modules that add functions for SQL */
  readonly extensions: readonly string[];
  readonly sinks: readonly SinkConfig[];
  /** null: the log is all there is */
  readonly kafka: KafkaConfig | null;
}

/** Whose topics are copied into the log. */
export interface KafkaConfig {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** paths of PEM files; what is missing is the system's */
  readonly tls: {
    readonly ca?: string | undefined;
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
  } | null;
  /** user and password, or `$NAME` of environment variables */
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  } | null;
  readonly exclude: readonly string[];
  /** topics of views that are written to Kafka too */
  readonly outputs: readonly string[];
  /** commands are handled by all nodes of a group, on Kafka; null: by this node, on its own log */
  readonly commands: { readonly group: string; readonly partitions: number } | null;
}

/** A view kept elsewhere: in a table of PostgreSQL, or in a file of JSON lines. */
export interface SinkConfig {
  readonly name: string;
  readonly view: string;
  /** rows of another log that are found there are replaced */
  readonly takeOver?: boolean | undefined;
  readonly postgres?:
    | {
        /** URL, or `$NAME` of an environment variable that holds it */
        readonly connection: string;
        readonly schema: string;
        readonly table: string;
      }
    | undefined;
  readonly file?:
    | {
        /** relative to the data folder */
        readonly path: string;
      }
    | undefined;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const duration = z
  .string()
  .regex(/^\d{1,9}(ms|s|m|h|d)$/, 'is no duration such as 500ms, 30s, 15m, 12h, 7d')
  .transform(text => {
    const [, amount = '0', unit = 'ms'] = /^(\d+)([a-z]+)$/.exec(text) ?? [];
    return Number(amount) * (UNITS[unit] as number);
  });

const memory = z
  .string()
  .refine(text => memoryBudget(text) !== null, 'is no amount of memory such as 512MiB, 2GiB or 25%');
const byteSize = z.string().transform((text, context) => {
  const bytes = parseByteSize(text);
  if (bytes === null) context.addIssue({ code: 'custom', message: 'is no size such as 500MB or 10GiB' });
  return bytes ?? 0;
});

const zone = z.string().refine(isZone, 'is no IANA time zone such as UTC or Europe/Berlin');
const topicName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,249}$/, 'is no topic name: letters, digits, ".", "_", "-"');

const settingsShape = z.strictObject({
  server: z
    .strictObject({ host: z.string().min(1), port: z.int().min(0).max(65_535) })
    .partial()
    .default({}),
  data: z
    .strictObject({ folder: z.string().min(1) })
    .partial()
    .default({}),
  memory: z.strictObject({ budget: memory }).partial().default({}),
  views: z
    .strictObject({ folder: z.string().min(1), watch: z.boolean(), zone })
    .partial()
    .default({}),
  sample: z
    .strictObject({ enabled: z.boolean(), seed: z.int(), module: z.string().min(1) })
    .partial()
    .default({}),
});

const topicsShape = z.strictObject({
  topics: z
    .record(
      topicName,
      z.strictObject({
        partitions: z.int().min(1).max(1_000).default(1),
        keyIndex: z.boolean().default(false),
        retention: z
          .strictObject({ age: duration.optional(), size: byteSize.optional() })
          .refine(r => r.age !== undefined || r.size !== undefined, 'names neither an age nor a size')
          .optional(),
        cleanup: z.literal('compact').optional(),
        keepTombstonesFor: duration.default(86_400_000),
        acceptIncompleteRebuilds: z.boolean().default(false),
      }),
    )
    .default({}),
});

const handlersShape = z.strictObject({
  commands: z
    .record(
      z.string(),
      z.strictObject({
        keepResultsFor: duration.default(7 * 86_400_000),
        cacheSize: z.int().min(1).max(10_000_000).default(20_000),
      }),
    )
    .default({}),
  reactions: z
    .array(
      z.strictObject({ module: z.string().min(1), settings: z.record(z.string(), z.unknown()).default({}) }),
    )
    .default([]),
  extensions: z.array(z.string().min(1)).default([]),
});

const isSqlName = (name: string) => /^[^\0]+$/.test(name) && Buffer.byteLength(name) <= 63;
const sqlName = z.string().refine(isSqlName, 'is no name that PostgreSQL takes: 63 bytes at most');
const sinkShape = z.record(
  z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/i, 'is no name: letters, digits, ".", "_", "-"'),
  z
    .strictObject({
      view: z.string().min(1),
      takeOver: z.boolean().optional(),
      file: z.strictObject({ path: z.string().min(1) }).optional(),
      postgres: z
        .strictObject({
          connection: z
            .string()
            .regex(
              /^(\$[A-Za-z_][A-Za-z0-9_]*|postgres(ql)?:\/\/.+)$/,
              'is neither postgres://... nor $NAME of a variable',
            ),
          schema: sqlName.default('public'),
          table: sqlName.optional(),
        })
        .optional(),
    })
    .refine(
      s => (s.postgres === undefined) !== (s.file === undefined),
      'names no place, or two: write postgres or file',
    ),
);
const sinksShape = z.strictObject({ sinks: sinkShape.superRefine(refuseShared).default({}) });

/** Two sinks that keep one table, or one file, would take it from each other. */
function refuseShared(sinks: z.infer<typeof sinkShape>, context: z.RefinementCtx): void {
  const kept = new Map<string, string>();
  for (const [name, sink] of Object.entries(sinks)) {
    const { schema, connection } = sink.postgres ?? {};
    const place = sink.file
      ? ['file', normalize(sink.file.path)]
      : ['postgres', connection, schema, tableOf(sink.view, sink.postgres)];
    const other = kept.get(JSON.stringify(place));
    const message = `keeps the same ${sink.file ? 'file' : 'table'} as "${other ?? ''}"`;
    if (other !== undefined) context.addIssue({ code: 'custom', path: [name], message });
    if (sink.postgres && sink.postgres.table === undefined && !isSqlName(tableOf(sink.view, sink.postgres))) {
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'has a view of a long name: write a table, too',
      });
    }
    kept.set(JSON.stringify(place), name);
  }
}

function tableOf(view: string, postgres: { readonly table?: string | undefined } | undefined): string {
  return postgres?.table ?? view.toLowerCase();
}

const pemFile = z.string().min(1).optional();
const kafkaShape = z.strictObject({
  kafka: z
    .strictObject({
      brokers: z.array(z.string().regex(/^[^\s:/]+:\d{1,5}$/, 'is no address such as kafka-1:9092')).min(1),
      clientId: z.string().min(1).default('millrace'),
      tls: z
        .union([z.boolean(), z.strictObject({ ca: pemFile, cert: pemFile, key: pemFile })])
        .default(false),
      sasl: z
        .strictObject({
          mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
          username: z.string().min(1),
          password: z.string().min(1),
        })
        .optional(),
      exclude: z.array(topicName).default([]),
      outputs: z.array(topicName).default([]),
      commands: z
        .strictObject({
          group: z.string().min(1).default('millrace-invoices'),
          partitions: z.int().min(1).max(1_000).default(8),
        })
        .optional(),
    })
    .optional(),
});

/**
 * Reads the YAML files of a pipelines folder; a missing file counts as empty, an unknown one is a fault.
 * Throws {@link MillraceErrors} with every fault of every file, each with file, line and column.
 */
export function loadConfig(pipelinesDir: string, root: string): Config {
  const folder = basename(resolve(pipelinesDir));
  const errors = unreadFiles(pipelinesDir, folder);
  const read = <T>(name: string, shape: z.ZodType<T>): T | null => {
    const path = join(pipelinesDir, name);
    const text = readText(path, `${folder}/${name}`);
    const { value, faults } = parseYaml({ file: `${folder}/${name}`, text }, shape);
    errors.push(...faults);
    return value;
  };
  const settings = read('settings.yaml', settingsShape);
  const topics = read('topics.yaml', topicsShape);
  const handlers = read('handlers.yaml', handlersShape);
  const sinks = read('sinks.yaml', sinksShape);
  const kafka = read('kafka.yaml', kafkaShape);
  if (
    settings === null ||
    topics === null ||
    handlers === null ||
    sinks === null ||
    kafka === null ||
    errors.length > 0
  ) {
    throw new MillraceErrors(errors);
  }
  const module = (path: string) => pathToFileURL(resolve(pipelinesDir, path)).href;
  return Object.freeze({
    server: { host: settings.server.host ?? '127.0.0.1', port: settings.server.port ?? 8080 },
    dataFolder: resolve(root, settings.data.folder ?? 'data'),
    memory: { budget: memoryBudget(settings.memory.budget ?? DEFAULT_MEMORY_BUDGET) as number },
    views: {
      folder: resolve(root, settings.views.folder ?? 'views'),
      watch: settings.views.watch ?? true,
      zone: settings.views.zone ?? 'UTC',
    },
    sample: {
      enabled: settings.sample.enabled ?? true,
      seed: settings.sample.seed ?? 1,
      module: module(settings.sample.module ?? './sample/sample-history.ts'),
    },
    topics: Object.entries(topics.topics).map(([name, t]) => ({
      name,
      partitions: t.partitions,
      keyIndex: t.keyIndex,
    })),
    upkeep: upkeepOf(topics.topics),
    commands: handlers.commands,
    reactions: handlers.reactions.map(r => ({ module: module(r.module), settings: r.settings })),
    extensions: handlers.extensions.map(module),
    sinks: Object.entries(sinks.sinks).map(([name, { view, takeOver, postgres, file }]) => ({
      name,
      view,
      takeOver,
      postgres: postgres && { ...postgres, table: tableOf(view, postgres) },
      file,
    })),
    kafka: kafkaOf(kafka.kafka, pipelinesDir),
  });
}

function kafkaOf(kafka: z.infer<typeof kafkaShape>['kafka'], pipelinesDir: string): KafkaConfig | null {
  if (kafka === undefined) return null;
  const { brokers, clientId, exclude, outputs, sasl = null, commands = null } = kafka;
  const tls = kafka.tls === true ? {} : kafka.tls || null;
  const files = Object.entries(tls ?? {}).flatMap(([name, path]) =>
    path === undefined ? [] : [[name, resolve(pipelinesDir, path)]],
  );
  return {
    brokers,
    clientId,
    exclude,
    outputs,
    sasl,
    commands,
    tls: tls === null ? null : Object.fromEntries(files),
  };
}

function upkeepOf(topics: z.infer<typeof topicsShape>['topics']): ReadonlyMap<string, TopicUpkeep> {
  const upkeep = new Map<string, TopicUpkeep>();
  for (const [name, t] of Object.entries(topics)) {
    if (t.retention === undefined && t.cleanup === undefined) continue;
    const { acceptIncompleteRebuilds, keepTombstonesFor } = t;
    const retention =
      t.retention === undefined
        ? null
        : { age: t.retention.age ?? null, size: t.retention.size ?? null, acceptIncompleteRebuilds };
    const compaction = t.cleanup === undefined ? null : { keepTombstonesFor, acceptIncompleteRebuilds };
    upkeep.set(name, { retention, compaction });
  }
  return upkeep;
}

const FILES = ['settings.yaml', 'topics.yaml', 'handlers.yaml', 'sinks.yaml', 'kafka.yaml'];

/** YAML files that nobody would read: most likely their names are misspelt. */
function unreadFiles(pipelinesDir: string, folder: string): MillraceError[] {
  if (!existsSync(pipelinesDir)) return [];
  const found = readdirSync(pipelinesDir).filter(name => /\.ya?ml$/i.test(name) && !FILES.includes(name));
  return found.sort().map(name => {
    const near = closest(name, FILES);
    return new MillraceError('config_invalid', `nothing reads ${folder}/${name}`, {
      hint: near === null ? `the files are ${FILES.join(', ')}` : `did you mean "${near}"?`,
    });
  });
}

/** A missing file counts as empty. Throws `config_invalid` for one that cannot be read. */
function readText(path: string, shown: string): string {
  if (!existsSync(path)) return '';
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new MillraceError('config_invalid', `${shown} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** The folder of Millrace itself: where `pipelines/` and `views/` stand unless told otherwise. */
export const projectRoot = dirname(import.meta.dirname);

/** The views of the folder one works in, else those that ship. */
export function defaultViews(config: Config): string {
  return existsSync(config.views.folder) ? config.views.folder : join(projectRoot, 'views');
}

function parseYaml<T>(
  source: SourceText,
  shape: z.ZodType<T>,
): { readonly value: T | null; readonly faults: readonly MillraceError[] } {
  const document = parseDocument(source.text, { prettyErrors: false, uniqueKeys: true });
  if (document.errors.length > 0) {
    const faults = document.errors.map(e => {
      const span = { start: e.pos[0], end: e.pos[1] };
      // it may quote what stands there
      const secret = holdsSecret(source.text, span.start);
      const what = secret ? `this is no YAML: ${e.code.toLowerCase().replaceAll('_', ' ')}` : e.message;
      return faultAt({ source, span }, what);
    });
    return { value: null, faults };
  }
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: 50 });
  } catch {
    // what it says may quote a password that begins with *
    const fault = new MillraceError(
      'config_invalid',
      `${source.file} has an alias that stands for nothing, or too much`,
      {
        hint: 'put a text that begins with * in quotes',
      },
    );
    return { value: null, faults: [fault] };
  }
  const parsed = shape.safeParse(plain ?? {});
  if (parsed.success) return { value: parsed.data, faults: [] };
  return { value: null, faults: parsed.error.issues.flatMap(issue => faultsOf(source, document, issue)) };
}

function faultsOf(source: SourceText, document: Document.Parsed, issue: z.core.$ZodIssue): MillraceError[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => {
      const near = closest(key, knownKeys(path));
      const span = keySpan(document, [...path, key]);
      // a comma in a password makes its end a name
      const shown = near === null && holdsSecret(source.text, span.start) ? '' : ` "${key}"`;
      return faultAt(
        { source, span },
        `unknown setting${shown}`,
        near === null ? undefined : `did you mean "${near}"?`,
      );
    });
  }
  const name = path.length === 0 ? 'the file' : `"${path.join('.')}"`;
  return [faultAt({ source, span: valueSpan(document, path) }, `${name} ${issue.message}`)];
}

/** Its line is shown, but for one that may hold a secret. */
function faultAt(place: ErrorPlace, message: string, hint?: string): MillraceError {
  const { source, span } = place;
  if (!holdsSecret(source.text, span.start)) {
    return new MillraceError('config_invalid', message, { place, hint });
  }
  const { line, column } = lineColumn(source.text, span.start);
  return new MillraceError('config_invalid', `${source.file}:${line}:${column}: ${message}`, { hint });
}

function keySpan(document: Document.Parsed, path: readonly string[]): Span {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const items =
    typeof parent === 'object' && parent !== null && 'items' in parent ? (parent.items as unknown[]) : [];
  for (const item of items) {
    const key = (item as { key?: unknown }).key;
    if (isScalar(key) && String(key.value) === path.at(-1) && key.range) {
      return { start: key.range[0], end: key.range[1] };
    }
  }
  return { start: 0, end: 1 };
}

function valueSpan(document: Document.Parsed, path: readonly string[]): Span {
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(
      path.slice(0, depth).map(p => (/^\d+$/.test(p) ? Number(p) : p)),
      true,
    ) as { range?: readonly [number, number, number] | null } | undefined;
    if (node?.range) return { start: node.range[0], end: Math.max(node.range[1], node.range[0] + 1) };
  }
  return { start: 0, end: 1 };
}

function isZone(id: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: id });
    return true;
  } catch {
    return false;
  }
}
