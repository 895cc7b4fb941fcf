// The function of DuckDB that reads a fetched file as an external table says.
//
// Every value comes from a list or is quoted: options are text of a client.

import { LakeError } from '../engine/errors.ts';
import { csvArguments } from './csv-dialect.ts';
import type { ExternalTable } from './external-table.ts';
import { quoteName, quoteText } from './token-cursor.ts';

/** SELECT text that gives the rows of the file at this path. Throws LAKE_PLAN. */
export function readerQuery(table: ExternalTable, path: string): string {
  const file = quoteText(path);
  if (table.format === 'parquet') {
    checkOptions(table, PARQUET_OPTIONS);
    return castColumns(table, `read_parquet(${file})`);
  }
  if (table.format === 'json') {
    checkOptions(table, JSON_OPTIONS);
    const options = [`format = 'newline_delimited'`, ...compression(table), ...columnTypes(table)];
    return `SELECT * FROM read_json(${[file, ...options].join(', ')})`;
  }
  checkOptions(table, CSV_OPTIONS);
  return `SELECT * FROM read_csv(${[file, ...csvOptions(table)].join(', ')})`;
}

/** Of the place, not of the format; used by the fetch. */
const PLACE_OPTIONS = [
  'access_key_id',
  'secret_access_key',
  'session_token',
  'region',
  'endpoint',
  'allow_http',
  'skip_signature',
] as const;
const CSV_OPTIONS = new Set<string>([
  ...PLACE_OPTIONS,
  'has_header',
  'delimiter',
  'quote',
  'escape',
  'comment',
  'null_value',
  'compression',
  'schema_infer_max_rec',
]);
const JSON_OPTIONS = new Set<string>([...PLACE_OPTIONS, 'compression', 'schema_infer_max_rec']);
const PARQUET_OPTIONS = new Set<string>(PLACE_OPTIONS);

function checkOptions(table: ExternalTable, known: ReadonlySet<string>): void {
  for (const key of table.options.keys()) {
    const short = key.replace(/^(?:aws|s3|csv|json|parquet)\./, '');
    if (!known.has(short)) {
      throw new LakeError('plan', 'LAKE_PLAN', `Unknown option ${key} of an external table`);
    }
  }
}

function csvOptions(table: ExternalTable): string[] {
  const { options } = table;
  const given = csvArguments({
    hasHeader: /^(?:true|1|yes)$/i.test(options.get('has_header') ?? 'false'),
    delimiter: options.get('delimiter'),
    quote: options.get('quote'),
    escape: options.get('escape'),
    comment: options.get('comment'),
    nullText: options.get('null_value'),
  });
  const sample = Number(options.get('schema_infer_max_rec') ?? Number.NaN);
  if (Number.isInteger(sample) && sample > 0) given.push(`sample_size = ${sample}`);
  given.push(...compression(table));
  given.push(...(table.columns === undefined ? ['auto_detect = true'] : columnTypes(table)));
  return given;
}

const COMPRESSIONS = new Map([
  ['gzip', 'gzip'],
  ['gz', 'gzip'],
  ['zstd', 'zstd'],
  ['uncompressed', 'none'],
  ['', 'none'],
]);

/** The fetched file has no suffix: DuckDB could not guess. */
function compression(table: ExternalTable): string[] {
  const fromName = /\.(gz|zst)(?:\?|$)/i.exec(table.location)?.[1]?.toLowerCase();
  const asked = table.options.get('compression')?.toLowerCase();
  const name = asked ?? (fromName === 'zst' ? 'zstd' : (fromName ?? ''));
  const known = COMPRESSIONS.get(name);
  if (known === undefined) {
    throw new LakeError('plan', 'LAKE_PLAN', `Unknown compression ${name}: gzip or zstd`);
  }
  return [`compression = '${known}'`];
}

function columnTypes(table: ExternalTable): string[] {
  if (table.columns === undefined) return [];
  const pairs = table.columns.map(({ name, type }) => `${quoteText(name)}: ${quoteText(type)}`);
  return [`columns = {${pairs.join(', ')}}`, 'auto_detect = false'];
}

/** A Parquet file says its types; declared ones are what its columns are cast to. */
function castColumns(table: ExternalTable, source: string): string {
  if (table.columns === undefined) return `SELECT * FROM ${source}`;
  const columns = table.columns.map(
    ({ name, type }) => `CAST(${quoteName(name)} AS ${type}) AS ${quoteName(name)}`,
  );
  return `SELECT ${columns.join(', ')} FROM ${source}`;
}
