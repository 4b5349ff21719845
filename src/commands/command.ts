/** What an entity is asked to do. `data` is decoded and validated; `now` is the log's clock when it was accepted, ms. */
export interface Command<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly commandId: string;
  readonly entityId: string;
  readonly now: number;
  readonly data: Data;
}
