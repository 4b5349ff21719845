import { lex, type Token } from '../../src/sql/lexer.ts';
import type { Random } from '../oracle/generator/random.ts';
import { mutated } from './byte-mutation.ts';

/** The text with some bytes changed; what is no UTF-8 any more is replaced, as a reader of files does. */
export function mutatedBytes(random: Random, text: string): string {
  return new TextDecoder().decode(mutated(random, new TextEncoder().encode(text)));
}

const WORDS =
  'SELECT FROM WHERE GROUP BY HAVING WINDOW TUMBLING HOPPING SESSION SIZE ADVANCE GRACE PERIOD RETENTION EMIT FINAL CHANGES CLOSE AFTER JOIN LEFT RIGHT FULL OUTER WITHIN ON PARTITION AS AND OR NOT NULL IS IN BETWEEN LIKE CASE WHEN THEN ELSE END CAST CREATE STREAM TABLE VIEW INSERT INTO VALUES WITH PRIMARY KEY STRUCT ARRAY MAP DECIMAL INT STRING TIMESTAMP DATE DISTINCT FILTER UNION ALL OVER INTERVAL CURRENT_DATE NOW TRUE FALSE EXPLODE DROP ALTER TYPE ASSERT DEFINE SET EXISTS'.split(
    ' ',
  );
const OTHER =
  '( ) [ ] , ; . * / + - % = <> < >= -> => := :: || 0 1 99999999999999999999 1e999 .5 \'x\' "x" `x` $0 $ {v}'.split(
    ' ',
  );

/** A few tokens taken out, doubled, exchanged, or put in: from this text, from another one, or any word of the grammar. */
export function mutatedTokens(random: Random, text: string, other: string): string {
  const own = tokens(text);
  const others = tokens(other);
  if (own.length === 0 || others.length === 0) return text;
  for (let n = random.of([1, 1, 2, 3, 6]); n > 0; n--) {
    const at = random.int(0, own.length - 1);
    const from = random.int(0, others.length - 1);
    switch (random.int(0, 5)) {
      case 0:
        own.splice(at, random.of([1, 1, 2, 8]));
        break;
      case 1:
        own.splice(at, 1, random.of(own.length > 0 ? own : ['x']));
        break;
      case 2:
        own.splice(at, 0, ...others.slice(from, from + random.of([1, 3, 12])));
        break;
      case 3:
        own.splice(at, random.int(0, 1), random.of(WORDS));
        break;
      case 4:
        own.splice(at, random.int(0, 1), random.of(OTHER));
        break;
      default: {
        const piece = own.slice(at, at + random.of([1, 4, 20]));
        own.splice(random.int(0, own.length), 0, ...piece);
      }
    }
    if (own.length === 0) return '';
  }
  return own.join(' ');
}

function tokens(text: string): string[] {
  return lex({ file: '', text })
    .tokens.filter((t: Token) => t.kind !== 'end')
    .map(t => text.slice(t.start, t.end));
}

export function randomMutatedSql(random: Random, texts: readonly string[]): string {
  const text = random.of(texts);
  return random.chance(0.5) ? mutatedBytes(random, text) : mutatedTokens(random, text, random.of(texts));
}
