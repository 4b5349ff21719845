/**
 * The pure heart of an event-sourced entity. No clock and no I/O inside: the time of a decision travels in the command.
 *
 * - `decide` says what happens: events, or a refusal. It never changes the state that it is given.
 * - `evolve` applies one event that did happen; it never refuses.
 */
export interface Decider<C, Event, State> {
  readonly initial: State;
  decide(command: C, state: State): Decision<Event>;
  evolve(state: State, event: Event): State;
}

export type Decision<Event> = { readonly accepted: true; readonly events: readonly Event[] } | Refused;

export interface Refused {
  readonly accepted: false;
  readonly refusal: Refusal;
}

/** Why a command is refused, for a person and for a machine. */
export interface Refusal {
  /** snake_case; stable */
  readonly code: string;
  readonly message: string;
  /** what to do instead */
  readonly hint?: string | undefined;
}

export function accept<Event>(...events: readonly Event[]): Decision<Event> {
  return { accepted: true, events };
}

export function refuse(code: string, message: string, hint?: string): Refused {
  return { accepted: false, refusal: { code, message, hint } };
}
