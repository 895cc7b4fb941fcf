// skein lake query: one query, its result on the terminal. A lake that runs is asked; without one
// the files are opened by this process.

import { text as readText } from 'node:stream/consumers';
import { parseArgs } from 'node:util';

import { createNodeLog } from '@skein/host';

import type { LakeConfig } from '../config/lake-config.ts';
import { loadLakeConfig } from '../config/load-config.ts';
import type { ResultFormat } from '../http/formats/result-format.ts';
import { resultFormat } from '../http/formats/formats.ts';
import { type OpenLake, openLake } from '../open-engine.ts';
import { LakeUsageError } from './errors.ts';
import { formatResult } from './result-table.ts';
import { askLake, maybeFindLake } from './running-lake.ts';
import type { Surroundings } from './surroundings.ts';

export const QUERY_HELP = `Usage: skein lake query [options] <sql>

Runs SQL and prints the rows of its last statement. The lake that runs by the configuration is
asked; when none does, the catalog is opened by this process, which may then write as well.

  -f, --format <format>   table, json (a line a row) or csv (default: on a terminal table)
  -c, --config <file>     lake.yml or seafowl.toml (default: the one that is here)
  -u, --url <url>         the lake to ask, wherever it is
      --token <password>  for a lake that wants one (or SKEIN_LAKE_TOKEN)
  -h, --help

With - as the SQL, or none, it is read from the standard input.

Examples:
  skein lake query 'SELECT count(*) FROM cambridge_weather'
  skein lake query --format csv - < report.sql > report.csv
`;

type OutputFormat = 'table' | 'json' | 'csv';
const OUTPUT_FORMATS: readonly OutputFormat[] = ['table', 'json', 'csv'];

export async function query(args: readonly string[], surroundings: Surroundings): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      format: { type: 'string', short: 'f' },
      config: { type: 'string', short: 'c' },
      url: { type: 'string', short: 'u' },
      token: { type: 'string' },
    },
  });
  if (positionals.length > 1) throw new LakeUsageError('say one query, in quotes');
  const { stdin, stdout, environment, cwd } = surroundings;
  const format = outputFormat(values.format, stdout.isTTY === true);
  const [given = '-'] = positionals;
  const sql = given === '-' ? await readText(stdin) : given;
  const { SKEIN_LAKE_TOKEN: known, ...others } = environment;
  const token = values.token ?? known;
  const wireFormat = format === 'csv' ? 'csv' : 'json';
  const config =
    values.url === undefined
      ? loadLakeConfig({ cwd, environment: others, file: values.config })
      : undefined;
  if (values.url !== undefined) checkUrl(values.url);
  const url = values.url ?? (await maybeFindLake(config!.address));
  const bytes =
    url === undefined
      ? await openAndRun(config!, sql, wireFormat)
      : await askLake(url, { sql, token, format: wireFormat });
  if (format !== 'table') {
    for await (const part of bytes) {
      stdout.write(part);
      // Nobody reads on, or the disk is full: there is no use in the rest.
      if (stdout.errored !== null) return;
    }
    return;
  }
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  stdout.write(formatResult(Buffer.concat(parts).toString('utf8'), stdout.columns));
}

function checkUrl(url: string): void {
  if (/^https?:$/.test(URL.parse(url)?.protocol ?? '')) return;
  throw new LakeUsageError(`--url: ${JSON.stringify(url)} is no address like http://host:port`);
}

function outputFormat(given: string | undefined, isTerminal: boolean): OutputFormat {
  if (given === undefined) return isTerminal ? 'table' : 'json';
  const found = OUTPUT_FORMATS.find((name) => name === given);
  if (found !== undefined) return found;
  throw new LakeUsageError(`there is no format ${given}: ${OUTPUT_FORMATS.join(', ')}`);
}

async function openAndRun(
  config: LakeConfig,
  sql: string,
  formatName: 'json' | 'csv',
): Promise<AsyncIterable<Uint8Array>> {
  const log = createNodeLog({ level: 'warn' });
  const format = await resultFormat(formatName);
  return run(await openLake(config, log), sql, format);
}

async function* run(lake: OpenLake, sql: string, format: ResultFormat): AsyncGenerator<Uint8Array> {
  const { engine } = lake;
  try {
    const plan = await engine.plan(sql);
    const execution = await engine.execute(plan, { mayWrite: !plan.isReadOnly });
    const isRead = plan.statements.at(-1)?.isRead === true;
    const encoder = format.begin(execution.columns);
    if (isRead) yield encoder.head();
    for await (const chunk of execution.chunks()) if (isRead) yield encoder.rows(chunk);
    await execution.close();
  } finally {
    await lake.close();
  }
}
