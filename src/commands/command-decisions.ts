import { MillraceError } from '../core/errors.ts';
import type { AppendRecord } from '../log/event-log.ts';
import type { Command } from './command.ts';
import { type CommandRequest, invalid } from './command-request.ts';
import { encodeResult, type ResultDraft } from './command-result.ts';
import type { Refused } from './decider.ts';
import { DtoReader } from './dto-reader.ts';
import type { EntityStore } from './entity-store.ts';
import type { EntityType, JsonSafe } from './entity-type.ts';

/** A command ready to be decided; its `now` is given when it is accepted. */
export interface Prepared<C extends Command> {
  readonly commandId: string;
  /** the id was made for it: nobody has sent it before */
  readonly fresh: boolean;
  readonly request: CommandRequest;
  readonly data: C['data'];
}

/** What one command writes: its events, the snapshot, and last the result. */
export interface Outcome {
  readonly draft: ResultDraft;
  readonly records: readonly AppendRecord[];
}

export interface DecisionOptions<C extends Command, Event, State> {
  readonly entity: EntityType<C, Event, State>;
  readonly store: EntityStore<C, Event, State>;
  readonly resultsTopic: string;
  readonly snapshotEvery: number;
}

const ENTITY_ID = /^[\x21-\x7e]{1,100}$/;

/** Load, decide, evolve: from a command to the records that it writes. Appends nothing. */
export class CommandDecisions<C extends Command, Event, State> {
  readonly #options: DecisionOptions<C, Event, State>;

  constructor(options: DecisionOptions<C, Event, State>) {
    this.#options = options;
  }

  /** Finds the handler and decodes the data. Throws `unknown_command` or `command_invalid`. */
  prepare(request: CommandRequest & { readonly commandId: string }, fresh = false): Prepared<C> {
    const { dispatcher } = this.#options.entity;
    const handler = dispatcher.find(request.type);
    if (!handler) {
      throw new MillraceError('unknown_command', `there is no command "${request.type.slice(0, 60)}"`, {
        hint: `known: ${dispatcher.types.join(', ')}`,
      });
    }
    if (!ENTITY_ID.test(request.entityId)) {
      throw invalid([
        { path: 'id', code: 'malformed', message: 'the id is not 1 to 100 visible ASCII characters' },
      ]);
    }
    const dto = new DtoReader(request.data);
    const data = handler.decode(dto);
    dto.end();
    if (dto.errors.length > 0) throw invalid(dto.errors);
    return { commandId: request.commandId, fresh, request, data };
  }

  /** Decides and, when accepted, moves the entity on in the store. Throws when the entity cannot be loaded. */
  outcome(prepared: Prepared<C>, now: number): Outcome {
    const { entity, store } = this.#options;
    const { commandId, request, data } = prepared;
    const { entityId, type } = request;
    const before = store.load(entityId);
    const about = { commandId, type, entity: entity.name, entityId, origin: request.origin ?? null, at: now };
    // The handler of this type has decoded the data: the pair is one member of the union C.
    const command = { type, commandId, entityId, now, data } as C;
    const conflict = versionConflict(entity.name, request, before.version);
    const decision = conflict ?? entity.decider.decide(command, before.state);
    if (!decision.accepted) {
      const { code, message, hint = null } = decision.refusal;
      const error = { code, message, hint, fields: [] };
      return this.#written({ ...about, status: 'rejected', error, events: [], version: before.version }, []);
    }
    const records: AppendRecord[] = [];
    let { state, version } = before;
    const documents = decision.events.map(event => {
      state = entity.decider.evolve(state, event);
      version++;
      const meta = { entityId, version, at: now, commandId };
      const document = entity.encodeEvent(event, meta);
      records.push(record(entity.topics.events, entityId, document, now));
      for (const more of entity.publish?.(event, meta) ?? []) {
        records.push(record(more.topic, more.key, more.document, now));
      }
      return document;
    });
    const every = this.#options.snapshotEvery;
    if (Math.floor(version / every) > Math.floor(before.version / every)) {
      const snapshot = entity.encodeSnapshot(state, { entityId, version, at: now });
      records.push(record(entity.topics.snapshots, entityId, snapshot, now));
    }
    const draft: ResultDraft = { ...about, status: 'accepted', error: null, events: documents, version };
    const outcome = this.#written(draft, records);
    store.keep(entityId, { state, version });
    return outcome;
  }

  /** The outcome of a command that could not even be decided. */
  rejected(
    error: unknown,
    about: Pick<ResultDraft, 'entityId' | 'commandId' | 'type' | 'origin' | 'at'>,
  ): Outcome {
    const told = error instanceof MillraceError ? error : new MillraceError('internal', 'an internal error');
    const { code, message, hint = null } = told;
    const fields = Array.isArray(told.data?.errors) ? told.data.errors : [];
    const entity = this.#options.entity.name;
    const reason = { code, message, hint, fields };
    return this.#written(
      { ...about, entity, status: 'rejected', error: reason, events: [], version: null },
      [],
    );
  }

  #written(draft: ResultDraft, records: readonly AppendRecord[]): Outcome {
    const result = {
      topic: this.#options.resultsTopic,
      key: Buffer.from(draft.commandId, 'utf8'),
      value: encodeResult(draft),
      timestamp: draft.at,
    };
    return { draft, records: [...records, result] };
  }
}

function record(
  topic: string,
  key: string,
  document: { readonly [field: string]: JsonSafe },
  timestamp: number,
): AppendRecord {
  return {
    topic,
    key: Buffer.from(key, 'utf8'),
    value: Buffer.from(JSON.stringify(document), 'utf8'),
    timestamp,
  };
}

function versionConflict(name: string, request: CommandRequest, version: number): Refused | null {
  const { expectedVersion, entityId } = request;
  if (expectedVersion === undefined || expectedVersion === version) return null;
  return {
    accepted: false,
    refusal: {
      code: 'version_conflict',
      message: `${name} "${entityId}" has version ${version}, not ${expectedVersion}`,
      hint: 'read it again and decide anew',
    },
  };
}
