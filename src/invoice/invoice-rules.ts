import { type Refused, refuse } from '../commands/decider.ts';
import type { Invoice, InvoiceState } from './invoice-state.ts';

/** Refuses unless the invoice exists and is neither deleted nor voided. */
export function requireAlive(state: InvoiceState, id: string): Invoice | Refused {
  if (!state) return refuse('unknown_invoice', `there is no invoice "${id}"`, 'create it first');
  if (state.status === 'deleted') return refuse('already_deleted', `invoice "${id}" is deleted`);
  if (state.status === 'void') return refuse('already_voided', `invoice "${id}" is void`);
  return state;
}

/** Refuses unless the invoice is still a draft. */
export function requireDraft(state: InvoiceState, id: string, hint: string): Invoice | Refused {
  const invoice = requireAlive(state, id);
  if (isRefused(invoice)) return invoice;
  if (invoice.status === 'paid') return refuse('already_paid', `invoice "${id}" is paid`, hint);
  if (invoice.status === 'sent') return refuse('already_sent', `invoice "${id}" was sent`, hint);
  return invoice;
}

export function isRefused(value: object): value is Refused {
  return 'refusal' in value;
}
