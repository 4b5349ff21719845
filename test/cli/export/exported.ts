import type { Dialect } from '../../../src/cli/export/dialect.ts';
import { exportView } from '../../../src/cli/export/export-view.ts';
import { errorText } from '../../../src/core/errors.ts';
import { planFiles } from '../../../src/deploy/view-planner.ts';
import { standardLibrary } from '../../../src/expr/library.ts';

const SOURCES = `
CREATE STREAM clicks (k STRING KEY, page STRING, n INT, price DECIMAL(8, 2), tags ARRAY<STRING>,
  at STRUCT<x INT, y INT>) WITH (KAFKA_TOPIC = 'clicks', VALUE_FORMAT = 'JSON');
`;

/** A view over the stream `clicks`, exported. `sql` is the statement; the view is called `v`. */
export function exported(sql: string, dialect: Dialect) {
  const files = [
    { name: null, file: 'sources/clicks.sql', text: SOURCES },
    { name: 'v', file: 'v.sql', text: sql },
  ];
  const result = planFiles(files, { functions: standardLibrary, zone: 'UTC' });
  if (result.errors.length > 0) throw new Error(result.errors.map(errorText).join('\n'));
  return exportView({ files, asked: () => true, result }, 'v', dialect);
}
