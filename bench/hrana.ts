// How much SQL does the SQL server execute, and what does the stock client cost?
//
// A node serves a database on its mount, in WAL mode. 16 clients read one row each by its key, one
// does so alone, for the time of it; 16 insert one row each. `@libsql/client`, which programs use,
// costs more than the server: it is measured beside, without a target. All of them share this
// machine. Run by `npm run bench -- hrana`.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createClient } from '@libsql/client';
import { type Daemon, freePorts, startDaemon, waitUntil } from '@skein/testkit';

import { parseBenchArguments } from './lib/arguments.ts';
import { buildSkein } from './lib/build.ts';
import { type BenchResult, median } from './lib/measure.ts';
import { formatTable, report } from './lib/report.ts';
import { loadSql } from './lib/sql-load.ts';

const ROW_COUNT = 10_000;
const CLIENT_COUNT = 16;
const DURATION_MS = 2000;
const READS_TARGET = 5000;
const START_TIMEOUT_MS = 60_000;

function pipelineOf(sql: string, arg: string): string {
  const args = `[{"type":"integer","value":"${arg}"}]`;
  const stmt = `{"sql":"${sql}","args":${args},"named_args":[],"want_rows":true}`;
  return `{"requests":[{"type":"execute","stmt":${stmt}},{"type":"close"}]}`;
}

const readBody = (index: number): string =>
  pipelineOf('SELECT text FROM notes WHERE id = ?', String(1 + (index % ROW_COUNT)));
const writeBody = (index: number): string =>
  pipelineOf('INSERT INTO written (n) VALUES (?)', String(index));

interface Measurement {
  readonly name: string;
  readonly unit: string;
  readonly target?: number;
  readonly measure: (port: number) => Promise<number>;
}

const base = { durationMs: DURATION_MS };
const isRow = (answer: string): boolean => answer.includes('"type":"text","value":"row ');
const isWritten = (answer: string): boolean => answer.includes('"affected_row_count":1');

const MEASUREMENTS: readonly Measurement[] = [
  {
    name: `Reads a second, ${CLIENT_COUNT} clients`,
    unit: '/s',
    target: READS_TARGET,
    measure: async (port) => {
      const load = { ...base, port, connections: CLIENT_COUNT, body: readBody, isRight: isRow };
      return (await loadSql(load)).perSecond;
    },
  },
  {
    name: 'Time of a read, p50',
    unit: 'ms',
    measure: async (port) => {
      const load = { ...base, port, connections: 1, body: readBody, isRight: isRow };
      return (await loadSql(load)).p50Ms;
    },
  },
  {
    name: `Writes a second, ${CLIENT_COUNT} clients`,
    unit: '/s',
    measure: async (port) => {
      const load = {
        ...base,
        port,
        connections: CLIENT_COUNT,
        body: writeBody,
        isRight: isWritten,
      };
      return (await loadSql(load)).perSecond;
    },
  },
  {
    name: `Reads a second, ${CLIENT_COUNT} of @libsql/client`,
    unit: '/s',
    measure: (port) => measureStock(port),
  },
];

async function measureStock(port: number): Promise<number> {
  const clients = Array.from({ length: CLIENT_COUNT }, () =>
    createClient({ url: `http://127.0.0.1:${port}` }),
  );
  const started = performance.now();
  const until = started + DURATION_MS;
  let count = 0;
  await Promise.all(
    clients.map(async (client) => {
      while (performance.now() < until) {
        const args = [1 + (count % ROW_COUNT)];
        await client.execute({ sql: 'SELECT text FROM notes WHERE id = ?', args });
        count += 1;
      }
      client.close();
    }),
  );
  return (count * 1000) / (performance.now() - started);
}

async function startNode(folder: string, port: number): Promise<Daemon> {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'skein.yml');
  // JSON is YAML.
  const sql = { address: `127.0.0.1:${port}`, database: 'app.db' };
  writeFileSync(config, JSON.stringify({ sql }));
  const daemon = await startDaemon({
    mountpoint: join(folder, 'mount'),
    dataFolder: join(folder, 'data'),
    logPath: join(folder, 'daemon.log'),
    isBuilt: true,
    args: ['--config', config],
  });
  const isServed = async (): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${port}/health`)).ok;
  await waitUntil('SQL is served', isServed, START_TIMEOUT_MS);
  return daemon;
}

async function fill(port: number): Promise<void> {
  const client = createClient({ url: `http://127.0.0.1:${port}` });
  await client.execute('PRAGMA journal_mode = WAL');
  await client.executeMultiple(`
    CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);
    CREATE TABLE written (n);
    WITH RECURSIVE row (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row LIMIT ${ROW_COUNT})
      INSERT INTO notes SELECT n, 'row ' || n FROM row;
  `);
  client.close();
}

const args = parseBenchArguments(process.argv.slice(2), 5);
buildSkein();
const folder = mkdtempSync(join(tmpdir(), 'skein-bench-'));
const [port] = (await freePorts(1)) as [number];
try {
  await using _node = await startNode(join(folder, 'node'), port);
  await fill(port);
  const values = MEASUREMENTS.map((): number[] => []);
  // One round more than told: the first only warms up.
  for (let round = 0; round <= args.rounds; round += 1) {
    for (const [i, { measure }] of MEASUREMENTS.entries()) {
      const value = await measure(port);
      if (round > 0) values[i]!.push(value);
    }
  }
  const results = MEASUREMENTS.map(({ name, unit, target }, i): BenchResult => ({
    name,
    unit,
    target,
    median: median(values[i]!),
    min: Math.min(...values[i]!),
    max: Math.max(...values[i]!),
    values: values[i]!,
  }));
  report({ bench: 'hrana', text: formatTable(results), results }, args);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
