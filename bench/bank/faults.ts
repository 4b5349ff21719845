/** A row as a reader sees it: columns by name, money in cents. */
export type SeenRow = Readonly<Record<string, bigint | null>>;

/** The rows of some or all views of the bank at one position. */
export type SeenRows = Readonly<Record<string, readonly SeenRow[]>>;

/** What is wrong with rows that were seen at one position, in sentences: nothing, wherever a reader looks. */
export function faultsOf(seen: SeenRows): readonly string[] {
  return [
    ...['balance', 'balance_by_union'].flatMap(view => noMoney(view, sum(seen[view], 'balance'))),
    ...['total', 'total_by_union'].flatMap(view => oneZero(view, seen[view], 'total')),
    ...oneZero('both_sides', seen.both_sides, 'difference'),
    ...(seen.differences ?? []).map(row => `differences has a row: ${shown(row)}`),
    ...bothSides(seen),
    ...balances(seen),
  ];
}

function noMoney(view: string, cents: bigint): string[] {
  return cents === 0n ? [] : [`the rows of ${view} add up to ${cents} cents`];
}

/** One row that says 0; NULL while there is nothing to add up. */
function oneZero(view: string, rows: readonly SeenRow[] | undefined, column: string): string[] {
  if (rows === undefined) return [];
  const [row] = rows;
  if (rows.length > 1) return [`${view} has ${rows.length} rows`];
  return row === undefined || row[column] === 0n || row[column] === null
    ? []
    : [`${view} says ${shown(row)}`];
}

function bothSides({ debits, credits }: SeenRows): string[] {
  if (debits === undefined || credits === undefined) return [];
  const [paid, received] = [sum(debits, 'amount'), sum(credits, 'amount')];
  return paid === received ? [] : [`${paid} cents were paid, ${received} received`];
}

function balances({ debits, credits, balance, balance_by_union: united }: SeenRows): string[] {
  if (balance === undefined) return [];
  const faults: string[] = [];
  const other = united && byAccount(united, 'balance');
  const paid = debits && byAccount(debits, 'amount');
  const received = credits && byAccount(credits, 'amount');
  for (const [account, cents] of byAccount(balance, 'balance')) {
    if (other !== undefined && other.get(account) !== cents) {
      faults.push(`account ${account} has ${cents} cents by joins, ${other.get(account)} by unions`);
    }
    if (paid === undefined || received === undefined) continue;
    const rest = (received.get(account) ?? 0n) - (paid.get(account) ?? 0n);
    if (rest !== cents) faults.push(`account ${account} has ${cents} cents, its sides make ${rest}`);
  }
  return faults;
}

/** Balances in cents by account. */
export function byAccount(rows: readonly SeenRow[], column: string): ReadonlyMap<number, bigint> {
  return new Map(rows.map(row => [Number(row.account), row[column] ?? 0n]));
}

function sum(rows: readonly SeenRow[] | undefined, column: string): bigint {
  return (rows ?? []).reduce((cents, row) => cents + (row[column] ?? 0n), 0n);
}

function shown(row: SeenRow): string {
  return Object.entries(row)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
