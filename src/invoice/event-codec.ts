import type { EventDocument, EventMeta, JsonSafe } from '../commands/entity-type.ts';
import { MillraceError } from '../core/errors.ts';
import type { LogRecord } from '../core/log-record.ts';
import type { InvoiceEvent } from './invoice-event.ts';

/** Schema version that is written, by type. */
const SCHEMA_VERSIONS: Readonly<Record<InvoiceEvent['type'], number>> = {
  InvoiceCreated: 2,
  LineItemAdded: 1,
  LineItemRemoved: 1,
  InvoiceSent: 1,
  PaymentReceived: 1,
  InvoicePaid: 1,
  InvoiceDeleted: 1,
  InvoiceVoided: 1,
};

type Document = { readonly [field: string]: JsonSafe };

/** Lifts an event document by one schema version. By type and the version that it lifts from. */
const UPCASTERS: Readonly<Record<string, (old: Document) => Document>> = {
  // Before version 2 invoices were in euro, and no event said so.
  'InvoiceCreated/1': old => ({ ...old, currency: 'EUR', schema_version: 2 }),
};

/** The document of an event in the form that is written today. A plain function: decoders of views use it, too. */
export function upcastInvoiceEvent(document: Document): Document {
  let current = document;
  for (;;) {
    const upcaster = UPCASTERS[`${current.type}/${current.schema_version}`];
    if (!upcaster) return current;
    current = upcaster(current);
  }
}

export function encodeEvent(event: InvoiceEvent, meta: EventMeta): EventDocument {
  const { type, ...fields } = event;
  return {
    type,
    schema_version: SCHEMA_VERSIONS[type],
    invoice_id: meta.entityId,
    version: meta.version,
    at: meta.at,
    command_id: meta.commandId,
    ...fields,
  };
}

/** The document of a record, lifted to today's schema. Throws `value_undecodable`. */
export function decodeEventDocument(value: Uint8Array): EventDocument {
  let document: Document;
  try {
    document = upcastInvoiceEvent(JSON.parse(Buffer.from(value).toString('utf8')));
  } catch (cause) {
    throw new MillraceError('value_undecodable', 'an invoice event is not JSON', { cause });
  }
  const { type, version, schema_version } = document;
  if (typeof type === 'string' && typeof version === 'number' && isEventType(type)) {
    if (SCHEMA_VERSIONS[type] === schema_version) return { ...document, type, version };
  }
  throw new MillraceError(
    'value_undecodable',
    `an invoice event of type ${JSON.stringify(type)} and schema version ${JSON.stringify(schema_version)} is not known`,
    { hint: 'it may have been written by a later release' },
  );
}

export function decodeEvent(value: Uint8Array): { readonly event: InvoiceEvent; readonly version: number } {
  const document = decodeEventDocument(value);
  // Type and schema version are checked, and only encodeEvent writes this pair.
  return { event: document as unknown as InvoiceEvent, version: document.version };
}

function isEventType(type: string): type is InvoiceEvent['type'] {
  return Object.hasOwn(SCHEMA_VERSIONS, type);
}

/**
 * A record of the events topic with its event lifted to today's schema: for decoders of views. Records of today pass as
 * they are.
 */
export function upcastInvoiceRecord(record: LogRecord): LogRecord {
  const { value } = record;
  if (!value || !mayBeOld(value)) return record;
  try {
    const document: Document = JSON.parse(Buffer.from(value).toString('utf8'));
    const lifted = upcastInvoiceEvent(document);
    return lifted === document ? record : { ...record, value: Buffer.from(JSON.stringify(lifted), 'utf8') };
  } catch {
    return record; // the decoder tells what is wrong with it
  }
}

/** Only version 1 of InvoiceCreated has an upcaster; the rest is not even parsed. */
function mayBeOld(value: Uint8Array): boolean {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return bytes.includes('"InvoiceCreated"') && !bytes.includes('"schema_version":2');
}
