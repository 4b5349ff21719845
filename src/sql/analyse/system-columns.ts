/** Columns that every relation has without declaring them; by canonical name: `rowtime` in quotes is another one. */
const PSEUDO_COLUMNS = ['ROWTIME', 'ROWPARTITION', 'ROWOFFSET'] as const;
const WINDOW_COLUMNS = ['WINDOWSTART', 'WINDOWEND'] as const;

export function isSystemColumn(name: string): boolean {
  return isPseudoColumn(name) || isWindowColumn(name);
}

export function isPseudoColumn(name: string): boolean {
  return PSEUDO_COLUMNS.some(c => c === name);
}

export function isWindowColumn(name: string): boolean {
  return WINDOW_COLUMNS.some(c => c === name);
}
