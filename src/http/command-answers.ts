import type { CommandResult } from '../commands/command-result.ts';
import type { HttpContext } from './http-context.ts';
import { type Problem, problem } from './problem.ts';
import type { JsonSchema } from './route-schema.ts';
import { POSITION } from './route-schema.ts';

/** The shape of a result. */
export const RESULT: JsonSchema = {
  type: 'object',
  properties: {
    commandId: { type: 'string' },
    type: { type: 'string' },
    entity: { type: 'string' },
    entityId: { type: 'string' },
    origin: { type: ['string', 'null'] },
    status: { type: 'string', enum: ['accepted', 'rejected'] },
    error: { type: ['object', 'null'], description: 'code, message, hint and faulty fields of a refusal' },
    events: { type: 'array', items: { type: 'object' }, description: 'what happened, money as text' },
    version: { type: ['integer', 'null'], description: 'of the entity, after the command' },
    at: { type: 'integer', description: 'when the command was accepted, ms' },
    position: POSITION,
  },
};

/** A result with its position as a token. */
export function resultDocument(context: HttpContext, result: CommandResult): Record<string, unknown> {
  return { ...result, position: context.token(result.position) };
}

/** A refusal as a problem: its own code, and all that the result says. */
export function refusalProblem(context: HttpContext, result: CommandResult): Problem {
  const { code, message, hint, fields } = result.error ?? {
    code: 'command_rejected',
    message: 'the command was rejected',
    hint: null,
    fields: [],
  };
  const { type: commandType, status: outcome, ...facts } = resultDocument(context, result);
  return problem({
    code,
    status: code === 'version_conflict' ? 409 : code === 'internal' ? 500 : 422,
    detail: message,
    hint,
    facts: { ...facts, commandType, outcome, fields },
  });
}
