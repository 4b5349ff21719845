import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { SinkStatus } from '../sinks/sink-runner.ts';
import type { HttpContext } from './http-context.ts';
import { kafkaMetrics } from './kafka-metrics.ts';
import { COMMANDS_ROUTE } from './plain-commands.ts';
import type { ObserveRequest } from './plain-requests.ts';
import { query } from './route-schema.ts';

/** seconds */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Counts of what goes on, for Prometheus. Values that stand elsewhere are read when they are asked for. */
export function metricRoutes(app: FastifyInstance, context: HttpContext): ObserveRequest {
  const register = new Registry();
  collectDefaultMetrics({ register });
  logMetrics(register, context);
  viewMetrics(register, context);
  sinkMetrics(register, context);
  kafkaMetrics(register, context);
  const observe = requestMetrics(app, register, commandMetrics(app, register, context));
  new Gauge({
    name: 'millrace_subscriptions',
    help: 'open subscriptions (SSE and WebSocket)',
    registers: [register],
    collect() {
      this.set(context.subscriptions.size);
    },
  });
  new Gauge({
    name: 'millrace_subscriptions_dropped',
    help: 'subscriptions that read too slowly, since the start',
    registers: [register],
    collect() {
      this.set(context.subscriptions.dropped);
    },
  });

  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Metrics in the text format of Prometheus',
        tags: ['operation'],
        querystring: query({}),
        response: {
          '200': { description: 'metrics', content: { 'text/plain': { schema: { type: 'string' } } } },
        },
      },
    },
    async (request, reply) => {
      context.params(request);
      return reply.type(register.contentType).send(await register.metrics());
    },
  );
  return observe;
}

function logMetrics(register: Registry, { ports: { log } }: HttpContext): void {
  new Gauge({
    name: 'millrace_log_end',
    help: 'sequence after the last durable record',
    registers: [register],
    collect() {
      this.set(log.end());
    },
  });
  new Gauge({
    name: 'millrace_topic_records',
    help: 'records that were appended to a topic',
    labelNames: ['topic'],
    registers: [register],
    collect() {
      this.reset();
      for (const { name, records } of log.topics()) this.set({ topic: name }, records);
    },
  });
}

function viewMetrics(register: Registry, { ports }: HttpContext): void {
  const { views, log, status } = ports;
  const gauge = (name: string, help: string, value: (s: ReturnType<typeof views.status>) => number | null) =>
    new Gauge({
      name,
      help,
      labelNames: ['view'],
      registers: [register],
      collect() {
        this.reset();
        for (const view of views.list()) {
          const n = value(view);
          if (n !== null) this.set({ view: view.name }, n);
        }
      },
    });
  gauge('millrace_view_position', 'sequence that the served rows stand at', v => v.position);
  gauge('millrace_view_lag', 'records that the served rows are behind the log', v =>
    v.position === null ? null : Math.max(0, log.end() - v.position),
  );
  gauge('millrace_view_serving', '1 when a version of the view answers', v => Number(v.serving));
  gauge('millrace_view_paused', '1 when the view, or its build, is paused for lack of memory', v =>
    Number(v.paused !== undefined),
  );
  gauge('millrace_view_errors', 'errors of the file of the view as it is now', v => v.errors.length);
  gauge('millrace_view_build_fraction', 'how far a running build is, 0 to 1', v => v.build?.fraction ?? null);
  sizeMetrics(register, ports);
  new Gauge({
    name: 'millrace_ledger_entries',
    help: 'records that did not reach a view, by reason',
    labelNames: ['view', 'reason'],
    registers: [register],
    collect() {
      this.reset();
      for (const { view, reason, count } of status.ledger()) this.inc({ view, reason }, count);
    },
  });
}

function sinkMetrics(register: Registry, { ports: { sinks } }: HttpContext): void {
  const gauge = (name: string, help: string, value: (s: SinkStatus) => number | null) =>
    new Gauge({
      name,
      help,
      labelNames: ['sink', 'view'],
      registers: [register],
      collect() {
        this.reset();
        for (const sink of sinks.list()) {
          const n = value(sink);
          if (n !== null) this.set({ sink: sink.name, view: sink.view }, n);
        }
      },
    });
  gauge('millrace_sink_position', 'sequence that the rows of a sink stand at', s => s.position);
  gauge('millrace_sink_lag', 'records that the rows of a sink are behind the view', s => s.behind);
  gauge('millrace_sink_up', '1 when the sink follows its view', s => Number(s.state === 'running'));
  gauge('millrace_sink_changes', 'changes written since the start', s => s.changes);
  gauge('millrace_sink_loads', 'loads completed since the start', s => s.loads);
}

function sizeMetrics(register: Registry, { status }: HttpContext['ports']): void {
  // one question to the worker for both gauges of a scrape
  let asked: ReturnType<typeof status.sizes> | null = null;
  const sizes = () => {
    asked ??= status.sizes().finally(() => {
      asked = null;
    });
    return asked;
  };
  new Gauge({
    name: 'millrace_memory_budget_bytes',
    help: 'operator state that all views together may have',
    registers: [register],
    collect() {
      this.set(status.memoryBudget);
    },
  });
  for (const what of ['rows', 'bytes'] as const) {
    new Gauge({
      name: `millrace_state_${what}`,
      help: `${what} of operator state`,
      labelNames: ['view', 'operator'],
      registers: [register],
      async collect() {
        const all = await sizes();
        this.reset();
        for (const size of all) this.inc({ view: size.view, operator: size.operator }, size[what]);
      },
    });
  }
}

/** Told how long a command took from its request to its answer. */
type ObserveCommand = (seconds: number) => void;

function requestMetrics(
  app: FastifyInstance,
  register: Registry,
  observeCommand: ObserveCommand,
): ObserveRequest {
  const duration = new Histogram({
    name: 'millrace_http_request_duration_seconds',
    help: 'time to answer, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers: [register],
  });
  // by route, status, method: no text is made of them for every request
  const children = new Map<string, Map<number, Map<string, ReturnType<typeof duration.labels>>>>();
  const observe: ObserveRequest = (method, route, status, seconds) => {
    let child = children.get(route)?.get(status)?.get(method);
    if (child === undefined) {
      child = duration.labels({ method, route, status: String(status) });
      const ofRoute = children.get(route) ?? new Map<number, Map<string, typeof child>>();
      children.set(route, ofRoute.set(status, (ofRoute.get(status) ?? new Map()).set(method, child)));
    }
    child.observe(seconds);
    if (route === COMMANDS_ROUTE) observeCommand(seconds);
  };
  app.addHook('onResponse', (request, reply, done) => {
    observe(request.method, request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime / 1000);
    done();
  });
  return observe;
}

function commandMetrics(
  app: FastifyInstance,
  register: Registry,
  { ports: { commands } }: HttpContext,
): ObserveCommand {
  const counts = new Counter({
    name: 'millrace_commands_total',
    help: 'results of commands, whoever sent them',
    labelNames: ['type', 'status', 'code'],
    registers: [register],
  });
  const known = new Set(commands.types.map(t => t.type));
  const stop = commands.onResult(null, ({ type, status, error }) => {
    counts.inc({ type: known.has(type) ? type : 'unknown', status, code: error?.code ?? '' });
  });
  app.addHook('onClose', async () => stop());
  const duration = new Histogram({
    name: 'millrace_command_duration_seconds',
    help: 'from the request to the durable result',
    buckets: BUCKETS,
    registers: [register],
  });
  return seconds => duration.observe(seconds);
}
