/** The public API: what `pipelines/` and programs that embed Millrace may use. */

export type { Command } from './commands/command.ts';
export type { CommandHandler } from './commands/command-handler.ts';
export { dispatcher } from './commands/command-handler.ts';
export type { CommandRequest } from './commands/command-request.ts';
export type { CommandError, CommandResult } from './commands/command-result.ts';
export { CommandRuntime } from './commands/command-runtime.ts';
export type { BusEvent, Commands } from './commands/commands.ts';
export type { Decider, Decision, Refusal } from './commands/decider.ts';
export { accept, refuse } from './commands/decider.ts';
export type { DtoReader, FieldError } from './commands/dto-reader.ts';
export type { EntityType, EventDocument } from './commands/entity-type.ts';
export type {
  Delivery,
  Reaction,
  ReactionContext,
  ReactionModule,
  RetryPolicy,
  TopicReaction,
  ViewChange,
  ViewReaction,
} from './commands/reaction.ts';
export { CannotHandle, createReaction } from './commands/reaction.ts';
export type { Settled } from './commands/result-store.ts';
export { MillraceError } from './core/errors.ts';
export type { Json, JsonObject, PlainJson } from './core/json.ts';
export { isJsonObject, JsonNumber, jsonOf, jsonText, parseJson } from './core/json.ts';
export type { Header, LogRecord } from './core/log-record.ts';
export type { SqlType, StructField } from './core/sql-type.ts';
export {
  arrayOf,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  INT,
  mapOf,
  STRING,
  structOf,
  TIME,
  TIMESTAMP,
} from './core/sql-type.ts';
export type { Row, Value } from './core/value.ts';
export type {
  AggregateFold,
  AggregateFunction,
  EvalContext,
  FunctionEntry,
  ScalarFunction,
  TableFunction,
} from './expr/functions.ts';
export type { InvoiceCommand } from './invoice/invoice-entity.ts';
export { invoiceEntity } from './invoice/invoice-entity.ts';
export type { InvoiceEvent, InvoiceSent, PaymentReceived } from './invoice/invoice-event.ts';
export { minorDigits, minorUnits, moneyText } from './invoice/money.ts';
export type { Append, AppendRecord, EventLog } from './log/event-log.ts';
