const MAX_CELL = 60;

/** Rows as an aligned text table with a line of headings. */
export function table(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, unknown>>[],
): string {
  const cells = rows.map(row => columns.map(c => cell(row[c])));
  const widths = columns.map((c, i) => Math.max(c.length, ...cells.map(r => (r[i] as string).length)));
  const line = (texts: readonly string[]) =>
    texts
      .map((t, i) => t.padEnd(widths[i] as number))
      .join('  ')
      .trimEnd();
  return [
    line(columns),
    line(widths.map(w => '-'.repeat(w))),
    ...cells.map(line),
    `(${counted(rows.length, 'row')})`,
  ].join('\n');
}

/** `1 row`, `2 rows` */
export function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const flat = text.replaceAll(/\s+/g, ' ');
  return flat.length > MAX_CELL ? `${flat.slice(0, MAX_CELL - 1)}…` : flat;
}
