import { MillraceError } from '../../core/errors.ts';
import { createRegistry } from '../../expr/function-registry.ts';
import type { AggregateFunction } from '../../expr/functions.ts';
import type { FunctionRegistry } from '../../expr/registry.ts';

const LIMIT = /^ksql\.functions\.(\w+)\.limit$/;

/** The functions under the settings of a session: `ksql.functions.collect_list.limit` and its like. */
export function functionsWithSettings(
  functions: FunctionRegistry,
  settings: ReadonlyMap<string, string>,
): FunctionRegistry {
  const changed = [...settings].flatMap(([name, value]): AggregateFunction[] => {
    const limited = LIMIT.exec(name)?.[1];
    const entry = limited === undefined ? undefined : functions.find(limited);
    return entry?.kind === 'aggregate' ? [withLimit(entry, Number(value), name)] : [];
  });
  if (changed.length === 0) return functions;
  const names = new Set(changed.map(entry => entry.name));
  const others = functions.names().flatMap(name => (names.has(name) ? [] : (functions.find(name) ?? [])));
  return createRegistry([...others, ...changed]);
}

/** The aggregate with its last, constant argument given. */
function withLimit(entry: AggregateFunction, limit: number, setting: string): AggregateFunction {
  const unlimited = entry.overloads.filter(overload => overload.constants === undefined);
  const limiting = entry.overloads.find(overload => overload.constants === 1);
  if (limiting === undefined || !Number.isInteger(limit)) {
    throw new MillraceError('invalid_property', `${setting} is no setting of ${entry.name}`);
  }
  return {
    ...entry,
    overloads: unlimited.map(overload => ({ ...overload, make: types => limiting.make(types, [limit]) })),
  };
}
