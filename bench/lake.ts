// What does the lake cost over DuckDB on the same Parquet files?
//
// A writer and a reader as processes on one catalog, asked over HTTP; raw DuckDB in this process,
// on the files that the lake has written. Queries differ from call to call, so that no result comes
// from memory, but where the repeated query is what is measured. Run by `npm run bench -- lake`.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { formatRows, freePorts, SOURCE_FLAGS, waitUntil } from '@skein/testkit';

import { parseBenchArguments } from './lib/arguments.ts';
import { loadHttp } from './lib/http-load.ts';
import { post } from './lib/post.ts';
import { median } from './lib/measure.ts';
import { formatNumber, report } from './lib/report.ts';

const root = dirname(import.meta.dirname);
const SKEIN = join(root, 'packages/skein/src/cli/main.ts');
const EXTENSIONS = join(root, '.tools/duckdb-extensions');

const LARGE_ROWS = 5_000_000;
const CSV_ROWS = 500_000;
const TABLES = 1000;
/** How often what is fast is done for one value of a round. */
const REPEATS = 15;
const LOAD_MS = 1500;
const START_MS = 120_000;

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

/** A lake that runs as a process. */
class LakeProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  static async start(folder: string, isReader: boolean): Promise<LakeProcess> {
    const [port] = (await freePorts(1)) as [number];
    const args = ['lake', 'serve', '--address', String(port), '--write', 'any'];
    args.push('--catalog', join(folder, 'catalog.db'), '--data', join(folder, 'data'));
    const child = spawn(process.execPath, [...SOURCE_FLAGS, SKEIN, ...args], {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        SKEIN_LAKE_ENGINE_EXTENSIONS: EXTENSIONS,
        SKEIN_LAKE_ENGINE_SCRATCH: join(folder, isReader ? 'reader' : 'writer'),
        SKEIN_LAKE_CATALOG_READ_ONLY: String(isReader),
        SKEIN_LAKE_LOG_LEVEL: 'warn',
      },
    });
    const lake = new LakeProcess(port, child);
    await waitUntil('the lake answers', async () => (await lake.#fetch('/readyz')).ok, START_MS);
    return lake;
  }

  /** The text of the answer, and its position. */
  async query(
    sql: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly text: string; readonly position: string }> {
    const body = JSON.stringify({ query: sql });
    const asked = { 'Content-Type': 'application/json', ...headers };
    const answer = await post({ port: this.port, path: '/q', headers: asked, body });
    const { status, text } = answer;
    if (status !== 200) throw new Error(`${status} ${text}: ${sql.slice(0, 200)}`);
    return { text, position: String(answer.headers['x-skein-position']) };
  }

  /** `csv`: the whole file. */
  async upload(table: string, csv: Buffer): Promise<void> {
    const boundary = 'the-end-of-a-part';
    const head =
      `--${boundary}\r\nContent-Disposition: form-data; name="data"; filename="rows.csv"\r\n` +
      'Content-Type: text/csv\r\n\r\n';
    const { status, text } = await post({
      port: this.port,
      path: `/upload/public/${table}`,
      headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
      body: Buffer.concat([Buffer.from(head), csv, Buffer.from(`\r\n--${boundary}--\r\n`)]),
    });
    if (status !== 200) throw new Error(text);
  }

  async etag(path: string): Promise<string> {
    const answer = await this.#fetch(path);
    await answer.text();
    return answer.headers.get('etag') ?? '';
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }

  #fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, init);
  }
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
const running: LakeProcess[] = [];
try {
  const writer = await LakeProcess.start(folder, false);
  running.push(writer);
  await writer.query(`CREATE TABLE large AS SELECT i AS id, i % 1000 AS k, i * 0.37 AS v,
    'name ' || (i % 5000) AS name FROM range(${LARGE_ROWS}) r(i)`);
  await writer.query('CREATE TABLE small AS SELECT i AS x FROM range(10000) r(i)');
  const reader = await LakeProcess.start(folder, true);
  running.push(reader);
  const raw = await (await DuckDBInstance.create(':memory:')).connect();
  const setting: Setting = { folder, writer, reader, raw, rounds: args.rounds };
  const results: Result[] = [];
  for (const work of [largeQuery, smallQuery, repeatedQuery, notModified, upload]) {
    results.push(await work(setting));
  }
  results.push(...(await insert(setting)), await manyTables(setting));
  const head = ['', 'raw', 'lake', 'compared', 'target', ''];
  report({ bench: 'lake', text: formatRows([head, ...results.map(formatRow)]), results }, args);
} finally {
  for (const lake of running) await lake.stop();
  rmSync(folder, { recursive: true, force: true });
}
