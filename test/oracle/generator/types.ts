/** SQL types of generated expressions, as Millrace writes them: `INT`, `DECIMAL(10, 2)`. */
export type Type = string;

export const KINDS = [
  'INT',
  'BIGINT',
  'DECIMAL',
  'DOUBLE',
  'STRING',
  'BOOLEAN',
  'DATE',
  'TIMESTAMP',
] as const;
export type Kind = (typeof KINDS)[number];

export function kindOf(type: Type): Kind {
  return type.replace(/\(.*/, '') as Kind;
}

export function decimalParts(type: Type): { readonly precision: number; readonly scale: number } {
  const match = /^DECIMAL\((\d+), (\d+)\)$/.exec(type);
  if (!match) throw new Error(`${type} is no DECIMAL`);
  return { precision: Number(match[1]), scale: Number(match[2]) };
}

export function decimal(precision: number, scale: number): Type {
  return `DECIMAL(${precision}, ${scale})`;
}

export function duckdbType(type: Type): string {
  if (type === 'STRING') return 'VARCHAR';
  return type === 'INT' ? 'INTEGER' : type;
}

/** The value columns of both sources, beside `k STRING`, the key. */
export const COLUMNS: readonly { readonly name: string; readonly type: Type }[] = [
  { name: 'i', type: 'INT' },
  { name: 'b', type: 'BIGINT' },
  { name: 'd', type: 'DECIMAL(10, 2)' },
  { name: 'f', type: 'DOUBLE' },
  { name: 'o', type: 'BOOLEAN' },
  { name: 'day', type: 'DATE' },
  { name: 'ts', type: 'TIMESTAMP' },
  { name: 't', type: 'STRING' },
];
