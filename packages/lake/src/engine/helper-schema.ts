// Names that users of Seafowl and DataFusion write and DuckDB does not have, as macros and views in
// a database of their own beside the lake, which nobody can change.

import { HELPER_CATALOG } from '../sql/rewrite.ts';
import { LAKE_CATALOG } from '../sql/targets.ts';

/** `name(parameters) AS expression`; each as DataFusion documents it. */
const MACROS: readonly string[] = [
  'approx_distinct(x) AS approx_count_distinct(x)',
  'approx_median(x) AS approx_quantile(x, 0.5)',
  'approx_percentile_cont(x, p) AS approx_quantile(x, p)',
  'array_element(a, i) AS list_extract(a, i)',
  'array_empty(a) AS len(a) = 0',
  'array_join(a, d) AS array_to_string(a, d)',
  'array_remove_all(a, x) AS list_filter(a, lambda e: e IS DISTINCT FROM x)',
  'arrow_typeof(x) AS typeof(x)',
  'btrim(x) AS trim(x), (x, c) AS trim(x, c)',
  'character_count(x) AS length(x)',
  'date_bin(w, t) AS time_bucket(w, t), (w, t, o) AS time_bucket(w, t, o)',
  `digest(x, a) AS CASE a WHEN 'md5' THEN unhex(md5(x)) WHEN 'sha256' THEN unhex(sha256(x))
    ELSE error('Unknown digest: md5 or sha256') END`,
  'from_unixtime(s) AS make_timestamp(CAST(s AS BIGINT) * 1000000)',
  `initcap(x) AS array_to_string(list_transform(
    regexp_extract_all(x, '[A-Za-z0-9]+|[^A-Za-z0-9]+'),
    lambda w: upper(w[1]) || lower(w[2:])), '')`,
  `make_array() AS [], (a) AS [a], (a, b) AS [a, b], (a, b, c) AS [a, b, c],
    (a, b, c, d) AS [a, b, c, d], (a, b, c, d, e) AS [a, b, c, d, e],
    (a, b, c, d, e, f) AS [a, b, c, d, e, f]`,
  'nvl(x, y) AS coalesce(x, y)',
  'nvl2(x, y, z) AS CASE WHEN x IS NOT NULL THEN y ELSE z END',
  'regexp_like(x, p) AS regexp_matches(x, p)',
  'regexp_match(x, p) AS CASE WHEN regexp_matches(x, p) THEN [regexp_extract(x, p)] END',
  'to_date(x) AS CAST(x AS DATE)',
  'to_timestamp_micros(x) AS make_timestamp(CAST(x AS BIGINT))',
  'to_timestamp_millis(x) AS make_timestamp(CAST(x AS BIGINT) * 1000)',
  'to_timestamp_seconds(x) AS make_timestamp(CAST(x AS BIGINT) * 1000000)',
  'to_unixtime(x) AS CAST(epoch(CAST(x AS TIMESTAMP)) AS BIGINT)',
];

/** Snapshots that changed a table, as Seafowl's view has them; VACUUM and expiry shorten it. */
const TABLE_VERSIONS = `
  SELECT t.table_schema, t.table_name, s.snapshot_id AS table_version_id,
    row_number() OVER (PARTITION BY t.table_schema, t.table_name ORDER BY s.snapshot_id) - 1
      AS version,
    s.snapshot_time::TIMESTAMP_S AS creation_time
  FROM ducklake_snapshots('${LAKE_CATALOG}') s
  JOIN (
    SELECT i.table_id::VARCHAR AS id, n.schema_name AS table_schema, i.table_name
    FROM ducklake_table_info('${LAKE_CATALOG}') i
    JOIN (SELECT DISTINCT table_oid, schema_oid, schema_name, table_name FROM duckdb_tables()
      WHERE database_name = '${LAKE_CATALOG}') n ON n.table_name = i.table_name
  ) t ON list_contains(flatten(map_values(s.changes)), t.id)
    OR list_contains(flatten(map_values(s.changes)), t.table_schema || '.' || t.table_name)`;

/** Tables are gone when they are dropped: nothing is left to list, as in Seafowl. */
const DROPPED_TABLES = `
  SELECT NULL::VARCHAR AS table_schema, NULL::VARCHAR AS table_name, NULL::VARCHAR AS uuid,
    NULL::VARCHAR AS deletion_status, NULL::TIMESTAMP_S AS drop_time
  WHERE false`;

/** Statements that fill the helper database, which is attached by its name. */
export function helperStatements(): string[] {
  return [
    `CREATE SCHEMA ${HELPER_CATALOG}.system`,
    ...MACROS.map((macro) => `CREATE MACRO ${HELPER_CATALOG}.main.${macro}`),
    `CREATE VIEW ${HELPER_CATALOG}.system.table_versions AS ${TABLE_VERSIONS}`,
    `CREATE VIEW ${HELPER_CATALOG}.system.dropped_tables AS ${DROPPED_TABLES}`,
  ];
}
