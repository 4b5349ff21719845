import type { EventDocument } from '../commands/entity-type.ts';
import { MillraceError } from '../core/errors.ts';
import type { EventLog } from '../log/event-log.ts';
import { decodeEvent, decodeEventDocument } from './event-codec.ts';
import { type InvoiceDocument, invoiceDocument } from './invoice-document.ts';
import { INVOICE_TOPICS } from './invoice-entity.ts';
import { evolve, type InvoiceState } from './invoice-state.ts';

/** A past of an invoice: at most one of both. */
export interface InvoiceTime {
  readonly version?: number | undefined;
  /** ms; the state after all that was accepted until then */
  readonly at?: number | undefined;
}

/** An event of the audit trail with its place in the log. */
export interface RecordedInvoiceEvent {
  readonly seq: number;
  /** ms, when it entered the log */
  readonly appendTime: number;
  readonly event: EventDocument;
}

/**
 * The audit trail: events in order, in today's schema, those from a sequence on and at most so many.
 * Throws `unknown_entity` when the invoice never had one.
 */
export function invoiceEvents(
  log: EventLog,
  id: string,
  { from = 0, limit }: { readonly from?: number; readonly limit?: number } = {},
): readonly RecordedInvoiceEvent[] {
  const key = Buffer.from(id, 'utf8');
  const records = log.byKey(INVOICE_TOPICS.events, key, from, limit);
  if (records.length === 0 && (from === 0 || log.byKey(INVOICE_TOPICS.events, key, 0, 1).length === 0)) {
    throw unknown(id, `there is no invoice "${id}"`);
  }
  return records.flatMap(record => {
    if (!record.value) return [];
    return [{ seq: record.seq, appendTime: record.appendTime, event: decodeEventDocument(record.value) }];
  });
}

/** The invoice now, at a version, or at a time. Throws `unknown_entity` when it was not there. */
export function invoiceAt(log: EventLog, id: string, time: InvoiceTime = {}): InvoiceDocument {
  let state: InvoiceState = null;
  let version = 0;
  let at = 0;
  for (const record of log.byKey(INVOICE_TOPICS.events, Buffer.from(id, 'utf8'))) {
    if (!record.value) continue;
    if (time.at !== undefined && record.appendTime > time.at) break;
    if (time.version !== undefined && version >= time.version) break;
    const recorded = decodeEvent(record.value);
    state = evolve(state, recorded.event);
    version = recorded.version;
    at = record.timestamp;
  }
  if (!state) {
    const when = time.at === undefined ? '' : ` at ${new Date(time.at).toISOString()}`;
    throw unknown(id, `there is no invoice "${id}"${when}`);
  }
  if (time.version !== undefined && version < time.version) {
    throw unknown(id, `invoice "${id}" has version ${version}, not yet ${time.version}`);
  }
  return invoiceDocument(state, { entityId: id, version, at });
}

function unknown(id: string, message: string): MillraceError {
  return new MillraceError('unknown_entity', message, { data: { entity: 'invoice', id } });
}
