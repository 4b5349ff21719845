import { upcastInvoiceRecord } from './event-codec.ts';
import { INVOICE_TOPICS } from './invoice-entity.ts';

/** What the domain adds to the dataflow; each thread loads this module by its URL. */
export const extension = { upcasters: { [INVOICE_TOPICS.events]: upcastInvoiceRecord } };
