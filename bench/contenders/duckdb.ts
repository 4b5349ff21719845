import { DuckDBInstance } from '@duckdb/node-api';
import { MORE_THAN, timed, WINDOW } from '../fraud.ts';

/** DuckDB on one thread over the same lines, as a batch query: `node bench/contenders/duckdb.ts <lines> <events>`. */

const [lines = '', events = '0'] = process.argv.slice(2);
const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
const connection = await instance.connect();
const columns =
  `{attempt_id: 'VARCHAR', card_number: 'VARCHAR', amount: 'DECIMAL(10, 2)', currency: 'VARCHAR', ts: 'BIGINT', ` +
  `merchant: 'VARCHAR', country: 'VARCHAR', channel: 'VARCHAR'}`;
const { result, ...spent } = await timed(async () => {
  await connection.run(`
    CREATE TABLE possible_fraud AS
    SELECT card_number, ts // ${WINDOW} AS w, COUNT(*) AS attempts, SUM(amount) AS amount
    FROM read_json('${lines.replaceAll("'", "''")}', format = 'newline_delimited', columns = ${columns})
    GROUP BY card_number, w HAVING COUNT(*) > ${MORE_THAN}`);
});
void result;
const answer = await connection.runAndReadAll(
  'SELECT COUNT(*)::DOUBLE, SUM(attempts)::DOUBLE, SUM(amount * 100)::DOUBLE FROM possible_fraud',
);
const [groups, attempts, cents] = (answer.getRows()[0] ?? []) as number[];
connection.closeSync();
process.stdout.write(
  `${JSON.stringify({ contender: 'DuckDB', events: Number(events), groups, attempts, cents, ...spent })}\n`,
);
