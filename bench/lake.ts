// What does the lake cost over DuckDB on the same Parquet files?
//
// A writer and a reader as processes on one catalog, asked over HTTP; raw DuckDB in this process,
// on the files that the lake has written. Queries differ from call to call, so that no result comes
// from memory, but where the repeated query is what is measured. Run by `npm run bench -- lake`.

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { formatRows, hasPart, startObjectStore } from '@skein/testkit';

import { parseBenchArguments } from './lib/arguments.ts';
import { loadHttp } from './lib/http-load.ts';
import { LakeProcess } from './lib/lake-process.ts';
import { median } from './lib/measure.ts';
import { formatNumber, report } from './lib/report.ts';

const LARGE_ROWS = 5_000_000;
const CREATE_LARGE = `CREATE TABLE large AS SELECT i AS id, i % 1000 AS k, i * 0.37 AS v,
  'name ' || (i % 5000) AS name FROM range(${LARGE_ROWS}) r(i)`;
const CSV_ROWS = 500_000;
const TABLES = 1000;
/** How often what is fast is done for one value of a round. */
const REPEATS = 15;
const LOAD_MS = 1500;

interface Result {
  readonly name: string;
  readonly unit: string;
  readonly raw: readonly number[];
  readonly lake: readonly number[];
  /** What is compared with the target. */
  readonly compared: number;
  readonly target: string;
  readonly isMet: boolean;
}

interface Setting {
  readonly folder: string;
  readonly writer: LakeProcess;
  readonly reader: LakeProcess;
  readonly raw: DuckDBConnection;
  readonly rounds: number;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** The median of some, which is one value of a round. */
async function repeated(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < REPEATS; i++) times.push(await timed(work));
  return median(times);
}

/** Both sides in turns, one round more than told: the first only warms up. */
async function inTurns(
  rounds: number,
  raw: () => Promise<number>,
  lake: () => Promise<number>,
): Promise<{ readonly raw: number[]; readonly lake: number[] }> {
  const values: { readonly raw: number[]; readonly lake: number[] } = { raw: [], lake: [] };
  for (let round = 0; round <= rounds; round++) {
    const both = [await raw(), await lake()] as const;
    if (round === 0) continue;
    values.raw.push(both[0]);
    values.lake.push(both[1]);
  }
  return values;
}

/** Another number each time, for queries that are to be new. */
let counter = 0;
const next = (): number => (counter += 1);

/** Files of one table, as the lake has them. */
const filesOf = (folder: string, table: string): string =>
  `read_parquet('${join(folder, 'data')}/**/${table}/*.parquet')`;

async function largeQuery(setting: Setting): Promise<Result> {
  const { raw, writer, folder, rounds } = setting;
  const sql = (from: string): string =>
    `SELECT k, count(*) AS n, avg(v) AS mean, max(name) AS last FROM ${from}
     WHERE id <> ${next()} GROUP BY k ORDER BY k`;
  const values = await inTurns(
    rounds,
    () => timed(async () => (await raw.runAndReadAll(sql(filesOf(folder, 'large')))).getRows()),
    () => timed(() => writer.query(sql('large'))),
  );
  const compared = median(values.raw.map((each, i) => each / values.lake[i]!));
  const name = `Group by over ${LARGE_ROWS / 1e6} million rows (raw ÷ lake)`;
  return { ...values, name, unit: 'ms', compared, target: '≥ 0.9', isMet: compared >= 0.9 };
}

async function smallQuery(setting: Setting): Promise<Result> {
  const { raw, writer, folder, rounds } = setting;
  const sql = (from: string): string => `SELECT count(*) AS n FROM ${from} WHERE x > ${next()}`;
  const values = await inTurns(
    rounds,
    () => repeated(() => raw.runAndReadAll(sql(filesOf(folder, 'small')))),
    () => repeated(() => writer.query(sql('small'))),
  );
  return { ...values, ...added(values, 8), name: 'Small query (lake − raw)', unit: 'ms' };
}

async function manyTables(setting: Setting): Promise<Result> {
  const { raw, writer, folder, rounds } = setting;
  for (let i = 0; i < TABLES; i += 100) {
    const names = Array.from({ length: 100 }, (_, j) => `many_${i + j}`);
    await writer.query(names.map((name) => `CREATE TABLE ${name} (x BIGINT)`).join('; '));
  }
  const sql = (from: string): string => `SELECT count(*) AS n FROM ${from} WHERE x > ${next()}`;
  const values = await inTurns(
    rounds,
    () => repeated(() => raw.runAndReadAll(sql(filesOf(folder, 'small')))),
    () => repeated(() => writer.query(sql('small'))),
  );
  return { ...values, ...added(values, 10), name: `The same, ${TABLES} tables`, unit: 'ms' };
}

/**
 * A reader whose files are in an S3 beside one whose files are in a folder; both have read them.
 */
async function warmStore({ reader, folder, rounds }: Setting): Promise<Result[]> {
  if (!hasPart('radosgw')) {
    console.log('Not measured: reads from S3 (radosgw, from Debian’s packages, is missing)');
    return [];
  }
  await using ends = new AsyncDisposableStack();
  const store = await startObjectStore({ after: (end) => ends.defer(async () => end()) });
  await store.send('PUT', '/lake');
  const inStore = join(folder, 's3');
  mkdirSync(inStore);
  const storeWriter = ends.use(await LakeProcess.start(inStore, { store }));
  await storeWriter.query(CREATE_LARGE);
  const storeReader = ends.use(await LakeProcess.start(inStore, { store, isReader: true }));
  const sql = (): string =>
    `SELECT k, count(*) AS n, avg(v) AS mean, max(name) AS last FROM large
     WHERE id <> ${next()} GROUP BY k ORDER BY k`;
  const values = await inTurns(
    rounds,
    () => timed(() => reader.query(sql())),
    () => timed(() => storeReader.query(sql())),
  );
  const compared = median(values.lake.map((each, i) => each / values.raw[i]!));
  const name = 'The same group by from S3, warm (÷ from a folder)';
  return [{ ...values, name, unit: 'ms', compared, target: '≤ 1.15', isMet: compared <= 1.15 }];
}

async function repeatedQuery({ writer, rounds }: Setting): Promise<Result> {
  const body = JSON.stringify({ query: 'SELECT k, count(*) AS n FROM large GROUP BY k' });
  const load = { port: writer.port, connections: 1, durationMs: LOAD_MS };
  const values = await inTurns(
    rounds,
    async () => (await loadHttp({ ...load, path: '/healthz' })).p50Ms,
    async () => (await loadHttp({ ...load, path: '/q', body })).p50Ms,
  );
  return { ...values, ...added(values, 1), name: 'Repeated query (− /healthz)', unit: 'ms' };
}

async function notModified({ writer, rounds }: Setting): Promise<Result> {
  const path = `/q/${encodeURIComponent('SELECT k, count(*) AS n FROM large GROUP BY k')}`;
  const headers = [`If-None-Match: ${await writer.etag(path)}`];
  const load = { port: writer.port, connections: 32, durationMs: LOAD_MS };
  const values = await inTurns(
    rounds,
    async () => (await loadHttp({ ...load, path: '/healthz' })).perSecond,
    async () => (await loadHttp({ ...load, path, headers })).perSecond,
  );
  const compared = median(values.lake);
  const name = '304 a second (beside /healthz)';
  return { ...values, name, unit: '/s', compared, target: '≥ 3,000', isMet: compared >= 3000 };
}

async function upload(setting: Setting): Promise<Result> {
  const { raw, writer, folder, rounds } = setting;
  const csv = join(folder, 'rows.csv');
  await raw.run(`COPY (SELECT i AS id, i % 1000 AS k, i * 0.37 AS v, 'name ' || (i % 5000) AS name,
    TIMESTAMP '1995-07-01' + to_minutes(i) AS t FROM range(${CSV_ROWS}) r(i)) TO '${csv}'`);
  const bytes = readFileSync(csv);
  const values = await inTurns(
    rounds,
    () =>
      timed(() =>
        raw.run(`COPY (SELECT * FROM read_csv('${csv}')) TO '${join(folder, 'copy.parquet')}'
          (FORMAT parquet, COMPRESSION zstd)`),
      ),
    () => timed(() => writer.upload(`uploaded_${next()}`, bytes)),
  );
  const compared = median(values.lake.map((each, i) => each / values.raw[i]!));
  const name = `CSV of ${CSV_ROWS / 1000}k rows to a table (lake ÷ COPY)`;
  return { ...values, name, unit: 'ms', compared, target: '≤ 1.5', isMet: compared <= 1.5 };
}

async function insert({ writer, reader, rounds }: Setting): Promise<Result[]> {
  await writer.query('CREATE TABLE inserted (x BIGINT)');
  let position = '';
  const write = async (): Promise<void> => {
    ({ position } = await writer.query(`INSERT INTO inserted VALUES (${next()})`));
  };
  const values: { readonly written: number[]; readonly seen: number[] } = { written: [], seen: [] };
  for (let round = 0; round < rounds * REPEATS; round++) {
    values.written.push(await timed(write));
    const sql = `SELECT count(*) AS n FROM inserted WHERE x <> ${next()}`;
    values.seen.push(await timed(() => reader.query(sql, { 'X-Skein-Position': position })));
  }
  const result = (name: string, lake: readonly number[], limit: number): Result => {
    const compared = median(lake);
    const target = `≤ ${limit}`;
    return { name, unit: 'ms', raw: [], lake, compared, target, isMet: compared <= limit };
  };
  return [
    result('Insert of one row, p50', values.written, 40),
    result('Read on a reader at its position, p50', values.seen, 20),
  ];
}

function added(
  values: { readonly raw: readonly number[]; readonly lake: readonly number[] },
  limit: number,
): Pick<Result, 'compared' | 'target' | 'isMet'> {
  const compared = median(values.lake.map((each, i) => each - values.raw[i]!));
  return { compared, target: `≤ ${limit}`, isMet: compared <= limit };
}

function formatRow({ name, unit, raw, lake, compared, target, isMet }: Result): string[] {
  const shown = (values: readonly number[]): string =>
    values.length === 0 ? '' : `${formatNumber(median(values))} ${unit}`;
  return [name, shown(raw), shown(lake), formatNumber(compared), target, isMet ? 'met' : 'MISSED'];
}

const args = parseBenchArguments(process.argv.slice(2), 5);
const folder = mkdtempSync(join(tmpdir(), 'skein-bench-lake-'));
try {
  await using writer = await LakeProcess.start(folder, {});
  await writer.query(CREATE_LARGE);
  await writer.query('CREATE TABLE small AS SELECT i AS x FROM range(10000) r(i)');
  await using reader = await LakeProcess.start(folder, { isReader: true });
  const raw = await (await DuckDBInstance.create(':memory:')).connect();
  const setting: Setting = { folder, writer, reader, raw, rounds: args.rounds };
  const results: Result[] = [];
  for (const work of [largeQuery, smallQuery, repeatedQuery, notModified, upload]) {
    results.push(await work(setting));
  }
  results.push(...(await insert(setting)), await manyTables(setting));
  results.push(...(await warmStore(setting)));
  const head = ['', 'raw', 'lake', 'compared', 'target', ''];
  report({ bench: 'lake', text: formatRows([head, ...results.map(formatRow)]), results }, args);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
