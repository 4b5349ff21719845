import { MillraceError } from '../core/errors.ts';
import { isJsonObject, type Json, JsonNumber, type JsonObject, jsonText, parseJson } from '../core/json.ts';
import { DtoReader, type FieldError } from './dto-reader.ts';

/** A command as it is sent, its data not yet looked into. */
export interface CommandRequest {
  readonly type: string;
  readonly entityId: string;
  readonly data: JsonObject;
  /** chosen by the sender, so that sending again is safe; without it one is made */
  readonly commandId?: string | undefined;
  /** refuse with `version_conflict` unless the entity has this version; 0: it must not exist */
  readonly expectedVersion?: number | undefined;
  /** whom the result is pushed to */
  readonly origin?: string | undefined;
  /** the JSON that it was read from, when that names no command id: nobody changes these bytes */
  readonly unnamed?: Uint8Array | undefined;
}

const BRACE = 0x7b;
const NO_DATA: JsonObject = new Map();
const ID = { regExp: /^[\x21-\x7e]+$/, says: 'may hold visible ASCII characters only' };

/**
 * Reads the envelope `{"type", "commandId"?, "expectedVersion"?, "origin"?, "data"?}`.
 * Throws `command_invalid` with all faults in `data.errors`.
 */
export function decodeRequest(value: Uint8Array, entityId: string): CommandRequest {
  let tree: Json;
  try {
    tree = parseJson(value);
  } catch (cause) {
    if (!(cause instanceof MillraceError)) throw cause;
    throw new MillraceError('command_invalid', `the command is ${cause.message}`, {
      place: cause.place,
      cause,
      data: { errors: [] },
    });
  }
  if (!isJsonObject(tree))
    throw invalid([{ path: '', code: 'not_an_object', message: 'it is not an object' }]);
  const data = tree.get('data');
  const head = new Map(tree);
  head.delete('data');
  const dto = new DtoReader(head);
  const type = dto.text('type', { max: 100 });
  const commandId = dto.optionalText('commandId', { max: 200, pattern: ID });
  const origin = dto.optionalText('origin', { max: 200 });
  const expectedVersion = dto.optionalDecimal('expectedVersion', '');
  if (!/^[0-9]{0,15}$/.test(expectedVersion)) {
    dto.fail('expectedVersion', 'not_a_version', 'is not a whole number from 0', null);
  }
  if (data !== undefined && data !== null && !isJsonObject(data)) {
    dto.fail('data', 'not_an_object', 'is not an object', null);
  }
  dto.end();
  if (dto.errors.length > 0) throw invalid(dto.errors);
  return {
    type,
    entityId,
    data: isJsonObject(data) ? data : NO_DATA,
    commandId: commandId ?? undefined,
    expectedVersion: expectedVersion === '' ? undefined : Number(expectedVersion),
    origin: origin ?? undefined,
    unnamed: !tree.has('commandId') ? value : undefined,
  };
}

/** The value of the command's record; {@link decodeRequest} reads it. */
export function encodeRequest(request: CommandRequest): Uint8Array {
  const { commandId, unnamed } = request;
  if (unnamed !== undefined && commandId !== undefined) return named(unnamed, commandId);
  const members = new Map<string, Json>([['type', request.type]]);
  if (request.commandId !== undefined) members.set('commandId', request.commandId);
  if (request.expectedVersion !== undefined) {
    members.set('expectedVersion', new JsonNumber(request.expectedVersion.toString()));
  }
  if (request.origin !== undefined) members.set('origin', request.origin);
  members.set('data', request.data);
  return Buffer.from(jsonText(members), 'utf8');
}

/** An object that has members already gets one more, in front. */
function named(json: Uint8Array, commandId: string): Uint8Array {
  const begin = json.indexOf(BRACE) + 1;
  const member = Buffer.from(`{"commandId":${JSON.stringify(commandId)},`, 'utf8');
  const bytes = Buffer.allocUnsafe(member.length + json.length - begin);
  bytes.set(member);
  bytes.set(json.subarray(begin), member.length);
  return bytes;
}

export function invalid(errors: readonly FieldError[], hint?: string): MillraceError {
  const told = errors
    .slice(0, 5)
    .map(e => e.message)
    .join('; ');
  const more = errors.length > 5 ? `; and ${errors.length - 5} more` : '';
  return new MillraceError('command_invalid', `the command is invalid: ${told}${more}`, {
    hint,
    data: { errors: [...errors] },
  });
}
