import type { FormatSpec, SinkSpec, SourceSpec, ViewPlan } from '../../plan/plan.ts';
import type { TopicFormat } from './ksqldb-records.ts';

/** How the records of a declared topic are written. */
export function sourceFormat(source: SourceSpec): TopicFormat {
  const types = (from: 'key' | 'value') => source.columns.filter(c => c.from === from).map(c => c.type);
  return {
    topic: source.topic,
    key: source.keyFormat,
    value: source.valueFormat,
    keyTypes: types('key'),
    valueTypes: types('value'),
    window: source.window,
  };
}

/** How the records of a view's topic are written. */
export function sinkFormat(view: ViewPlan, sink: SinkSpec): TopicFormat {
  const { schema } = view.root;
  const windowColumns = sink.window && schema.windowed ? schema.key.slice(-2) : [];
  const keys = schema.key.filter(i => !windowColumns.includes(i));
  const types = (indexes: readonly number[]) => indexes.flatMap(i => schema.columns[i]?.type ?? []);
  return {
    topic: sink.topic,
    key: sink.keyFormat,
    value: sink.valueFormat,
    keyTypes: types(keys),
    valueTypes: types([...schema.columns.keys()].filter(i => !schema.key.includes(i))),
    window: sink.window ?? null,
  };
}

const plain = (format: FormatSpec['format']): FormatSpec => ({ format, delimiter: ',', wrapSingle: true });

/** A topic that nothing declares: its records are kept as they are. */
export function unknownFormat(topic: string): TopicFormat {
  return { topic, key: plain('JSON'), value: plain('JSON'), keyTypes: [], valueTypes: [], window: null };
}
