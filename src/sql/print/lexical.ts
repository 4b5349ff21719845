import type { Identifier, TypeName } from '../ast.ts';
import { lex } from '../lexer.ts';
import { RESERVED } from '../parser/keywords.ts';

/** Can the name stand bare where any word may stand (behind `->`, as a property)? */
export function isBareWord(name: string): boolean {
  if (/^[A-Za-z_][A-Za-z0-9_@]*$/.test(name)) return true;
  if (!/^[0-9][A-Za-z0-9_@]*$/.test(name)) return false;
  const { tokens, errors } = lex({ file: '', text: name });
  return errors.length === 0 && tokens.length === 2 && tokens[0]?.kind === 'word';
}

/** The name as it was written; in backquotes when it was quoted or cannot stand bare. */
export function identifierText(id: Identifier): string {
  if (!id.quoted && isBareWord(id.name) && !RESERVED.has(id.name.toUpperCase())) return id.name;
  return backquoted(id.name);
}

/** A name behind `->`, where keywords may stand. */
export function fieldText(id: Identifier): string {
  return !id.quoted && isBareWord(id.name) ? id.name : backquoted(id.name);
}

function backquoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

export function stringText(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

const UNITS: readonly (readonly [number, string])[] = [
  [86_400_000, 'DAY'],
  [3_600_000, 'HOUR'],
  [60_000, 'MINUTE'],
  [1000, 'SECOND'],
];

/** A duration in its largest whole unit: 5400000 is `90 MINUTES`. */
export function durationText(ms: number): string {
  const [length, unit] = UNITS.find(([l]) => ms >= l && ms % l === 0) ?? [1, 'MILLISECOND'];
  return amountText(ms / length, unit);
}

export function amountText(amount: number, unit: string): string {
  return `${amount} ${unit}${amount === 1 ? '' : 'S'}`;
}

export function typeNameText(type: TypeName): string {
  switch (type.kind) {
    case 'named':
      return identifierText(type.name) + (type.args.length > 0 ? `(${type.args.join(', ')})` : '');
    case 'array':
      return `ARRAY<${typeNameText(type.element)}>`;
    case 'map':
      return `MAP<${typeNameText(type.key)}, ${typeNameText(type.value)}>`;
    case 'struct':
      return `STRUCT<${type.fields.map(f => `${identifierText(f.name)} ${typeNameText(f.type)}`).join(', ')}>`;
  }
}
