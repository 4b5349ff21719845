import type { CommandResult } from '../commands/command-result.ts';
import { decodeResult } from '../commands/command-result.ts';
import { MillraceError } from '../core/errors.ts';
import { recordAt } from '../core/log-record.ts';
import { resultDocument } from './command-answers.ts';
import type { HttpContext } from './http-context.ts';

/** Topic of the results of commands, as the command runtime names it. */
export const RESULTS_TOPIC = 'command-results';

/** records of the log that a subscriber who comes back may have missed: they are read at once */
const MAX_MISSED = 50_000;

/** What a subscriber wants to hear; nothing named: everything. */
export interface UpdateInterest {
  /** results of commands that were sent with this origin */
  readonly origin: string | null;
  /** events of this invoice; `*`: of all */
  readonly invoice: string | null;
}

/** Something that happened, as JSON `{"type": "event" | "result", "position", ...}`. */
export interface Update {
  readonly type: 'open' | 'event' | 'result';
  readonly json: string;
}

/** All updates of one command, and the position that they bring the subscriber to. */
export type UpdateListener = (updates: readonly Update[], position: number) => void;

export interface UpdateSubscription {
  /** everything up to here has been told, or lay before the subscription */
  position(): number;
  close(): void;
}

/**
 * Hears the results of commands and the events that they brought, in the order of the log, each once: those behind
 * `from` (null: behind the end of the log), which {@link checkResumable} has let through.
 */
export function subscribeUpdates(
  context: HttpContext,
  interest: UpdateInterest,
  from: number | null,
  listener: UpdateListener,
): UpdateSubscription {
  const { log, commands } = context.ports;
  let told = log.end();
  if (from !== null) {
    for (const result of missedResults(context, from, told)) {
      listener(updatesOf(context, interest, result), result.position);
    }
  }
  const stop = commands.onResult(null, result => {
    if (result.position <= told) return;
    told = result.position;
    listener(updatesOf(context, interest, result), result.position);
  });
  return { position: () => told, close: stop };
}

function updatesOf(
  context: HttpContext,
  { origin, invoice }: UpdateInterest,
  result: CommandResult,
): Update[] {
  const everything = origin === null && invoice === null;
  const position = context.token(result.position);
  const { entity, entityId, commandId } = result;
  const wantsEvents =
    everything || (entity === 'invoice' && invoice !== null && (invoice === '*' || invoice === entityId));
  const updates: Update[] = [];
  if (wantsEvents) {
    for (const event of result.events) {
      const about = { type: 'event', position, entity, entityId, commandId, origin: result.origin, event };
      updates.push({ type: 'event', json: JSON.stringify(about) });
    }
  }
  if (everything || (origin !== null && origin === result.origin)) {
    const about = { type: 'result', position, result: resultDocument(context, result) };
    updates.push({ type: 'result', json: JSON.stringify(about) });
  }
  return updates;
}

/** Throws `position_ahead` and `position_expired` for a position that nobody can come back to. */
export function checkResumable({ ports: { log } }: HttpContext, from: number): void {
  if (from > log.end()) throw new MillraceError('position_ahead', 'this position lies ahead of the log');
  if (from < log.start() || log.end() - from > MAX_MISSED) {
    throw new MillraceError('position_expired', 'too much has happened since this position', {
      hint: 'read the invoices again and subscribe without a position',
    });
  }
}

function* missedResults({ ports: { log } }: HttpContext, from: number, to: number): Generator<CommandResult> {
  for (const block of log.read(from, to)) {
    const results = block.topics.indexOf(RESULTS_TOPIC);
    if (results < 0) continue;
    for (let i = 0; i < block.n; i++) {
      if (block.topic[i] !== results || block.firstSeq + i < from) continue;
      const { value, seq } = recordAt(block, i);
      if (value !== null) yield decodeResult(value, seq);
    }
  }
}
