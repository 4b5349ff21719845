/** Names a log, and the logs that it goes on from. */
export interface LogIdentity {
  /** names the log in position tokens; made when the log is created, and anew when one is restored */
  readonly id: string;
  /** logs from whose backups this one was restored, oldest first */
  readonly ancestors: readonly LogAncestor[];
}

export interface LogAncestor {
  readonly id: string;
  /** the records with smaller sequences are the same in both logs; what the ancestor had behind them is not here */
  readonly end: number;
}

/** Sequence up to which a log has the records of the log of that name: none of its own end; null: they are strangers. */
export function commonEnd(log: LogIdentity, id: string): number | null {
  if (id === log.id) return Number.POSITIVE_INFINITY;
  return log.ancestors.find(a => a.id === id)?.end ?? null;
}
