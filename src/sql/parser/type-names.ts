import type { Identifier, TypeName } from '../ast.ts';
import type { TokenReader } from './token-reader.ts';

/** `INT`, `DECIMAL(10, 2)`, `ARRAY<..>`, `MAP<.., ..>`, `STRUCT<a INT, ..>`, `INT ARRAY`, a custom type's name. */
export function parseTypeName(r: TokenReader, what = 'a type'): TypeName {
  return r.nested(() => {
    const start = r.peek();
    let type = parsePlainType(r, what);
    while (r.accept('ARRAY')) type = { kind: 'array', element: type, span: r.spanFrom(start) };
    return type;
  });
}

function parsePlainType(r: TokenReader, what: string): TypeName {
  const start = r.peek();
  if (r.ahead('ARRAY', '<')) {
    r.next();
    const element = r.enclosed('<', '>', () => parseTypeName(r));
    return { kind: 'array', element, span: r.spanFrom(start) };
  }
  if (r.ahead('MAP', '<')) {
    r.next();
    const [key, value] = r.enclosed('<', '>', () => {
      const k = parseTypeName(r);
      r.expect(',', 'a map has a key type and a value type: MAP<STRING, INT>');
      return [k, parseTypeName(r)];
    });
    return { kind: 'map', key, value, span: r.spanFrom(start) };
  }
  if (r.accept('STRUCT', '<>')) return { kind: 'struct', fields: [], span: r.spanFrom(start) };
  if (r.ahead('STRUCT', '<')) {
    r.next();
    const fields = r.enclosed('<', '>', () =>
      r.is('>')
        ? []
        : r.list(
            () => parseField(r),
            () => r.is('>'),
          ),
    );
    return { kind: 'struct', fields, span: r.spanFrom(start) };
  }
  if (!r.isIdentifier()) return r.failExpected(what);
  const name = r.identifier(what);
  const args = r.is('(') ? parseArguments(r) : [];
  return { kind: 'named', name: compound(r, name), args, span: r.spanFrom(start) };
}

function parseField(r: TokenReader): { name: Identifier; type: TypeName } {
  return { name: r.identifier('a field name'), type: parseTypeName(r) };
}

function parseArguments(r: TokenReader): number[] {
  return r.enclosed('(', ')', () =>
    r.list(
      () => {
        const token = r.peek();
        if (token.kind === 'number' && /^[0-9]+$/.test(token.value)) return Number(r.next().value);
        if (r.accept('STRING')) return 0;
        return r.failExpected('a whole number');
      },
      () => r.is(')'),
    ),
  );
}

/** `DOUBLE PRECISION` is one name. */
function compound(r: TokenReader, name: Identifier): Identifier {
  if (name.quoted || name.name.toUpperCase() !== 'DOUBLE' || !r.is('PRECISION')) return name;
  r.next();
  return name;
}
