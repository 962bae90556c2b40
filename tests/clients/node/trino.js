// Walks the Trino JavaScript client over a running platform. Arguments: server user password.
// Prints one line a check; exits 1 on the first that fails.
import { BasicAuth, Trino } from 'trino-client';

const [server, user, password] = process.argv.slice(2);

function check(what, fine, ...more) {
  console.log(fine ? 'ok  ' : 'FAIL', what, ...(fine ? [] : more));
  if (!fine) process.exit(1);
}

const trino = Trino.create({
  server,
  catalog: 'iceberg',
  auth: new BasicAuth(user, password),
  ssl: { rejectUnauthorized: false },
  source: 'trino-js-client',
});

async function run(client, query) {
  const rows = [];
  let columns, last;
  for await (const result of await client.query(query)) {
    if (result.error) throw result.error;
    columns ??= result.columns;
    rows.push(...(result.data ?? []));
    last = result;
  }
  return { rows, columns, last };
}

const { rows, columns, last } = await run(trino, `SELECT 1 AS n, 1.5e0, 'text', DECIMAL '1.10', DATE '2020-02-29',
  TIMESTAMP '2020-01-01 01:02:03.123', ARRAY[1, NULL], MAP(ARRAY['a'], ARRAY[1]), ROW(1, 'b'), NULL`);
check('one row', rows.length === 1, rows);
// No PARAMETRIC_DATETIME: the type is bare.
check('values', JSON.stringify(rows[0]) ===
  '[1,1.5,"text","1.10","2020-02-29","2020-01-01 01:02:03.123",[1,null],{"a":1},[1,"b"],null]', JSON.stringify(rows[0]));
check('columns', columns[0].name === 'n' && columns[0].type === 'integer' && columns[5].type === 'timestamp', columns);
check('statistics', last.stats.state === 'FINISHED' && last.stats.progressPercentage === 100, last.stats);

const inTpch = Trino.create({ server, catalog: 'tpch', schema: 'sf100000', auth: new BasicAuth(user, password),
  ssl: { rejectUnauthorized: false } });
try {
  await run(inTpch, 'SELECT * FROM nowhere');
  check('an error', false);
} catch (error) {
  check('an error', error.errorName === 'SCHEMA_NOT_FOUND' || error.errorName === 'TABLE_NOT_FOUND', error);
}

// A session of its own: USE and SET SESSION come back in headers and go out with the next statement.
await run(trino, 'USE tpch.tiny');
check('USE', (await run(trino, 'SELECT count(*) FROM nation')).rows[0][0] === 25);
await run(trino, "SET SESSION query_max_run_time = '7m'");
const shown = await run(trino, "SHOW SESSION LIKE 'query_max_run_time'");
check('SET SESSION', shown.rows[0][1] === '7m', shown.rows);
await run(trino, 'RESET SESSION query_max_run_time');
await run(trino, 'PREPARE named FROM SELECT name FROM nation WHERE nationkey = ?');
check('PREPARE', (await run(trino, 'EXECUTE named USING 7')).rows[0][0] === 'GERMANY');

const many = await run(trino, 'SELECT orderkey, comment FROM tpch.sf1.orders LIMIT 50000');
check('many rows', many.rows.length === 50000, many.rows.length);

const slow = await trino.query('SELECT comment FROM tpch.sf100.lineitem');
const first = await slow.next();
const info = await trino.queryInfo(first.value.id);
check('query info', info.queryId === first.value.id && info.query.includes('sf100.lineitem'), info);
await trino.cancel(first.value.id);
let state = '';
for (const until = Date.now() + 10000; state !== 'FAILED' && Date.now() < until;) {
  state = (await trino.queryInfo(first.value.id)).state;
}
check('cancel', state === 'FAILED', state);
