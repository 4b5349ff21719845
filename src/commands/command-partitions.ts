import type { AppendRecord } from '../log/event-log.ts';

/** Where a record was written. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** A commands topic whose partitions several nodes share, each partition having one handler at a time. */
export interface CommandPartitions {
  /** Puts a command into the topic; resolves when it is kept there. */
  send(command: { readonly key: Uint8Array; readonly value: Uint8Array }): Promise<void>;
  /** Joins the other nodes. Calls `assigned` with the partitions that are this node's from now on, each time. */
  start(assigned: (partitions: readonly number[]) => void): void;
  /** The writer of a partition that is this node's. */
  writer(partition: number): PartitionWriter;
  /** Leaves: the partitions go to the others. */
  stop(): Promise<void>;
}

export interface PartitionWriter {
  /** that one transaction may have in one topic, counted by `recordBytes` */
  readonly maxBytes: number;
  /**
   * Locks out whoever had the partition before. Resolves with the offset of the first command that is not handled, when
   * the log holds all that earlier owners have committed; null: it is not known, the results in the log tell it.
   */
  begin(signal: AbortSignal): Promise<number | null>;
  /** Writes everything together or nothing. When it rejects the outcome is not known: `begin` again. */
  commit(transaction: PartitionTransaction): Promise<void>;
  close(): Promise<void>;
}

export interface PartitionTransaction {
  readonly records: readonly AppendRecord[];
  /** further records, made when it is known where the first ones are; places in their order */
  readonly results: (places: readonly RecordPlace[]) => readonly AppendRecord[];
  /** offset of the next command to handle */
  readonly next: number;
}
