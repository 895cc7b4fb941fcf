// Schemas, tables, columns and versions, for completion and for the console.

import type { DuckDBConnection } from '@duckdb/node-api';

import { LAKE_CATALOG, LAKE_METADATA as META } from '../sql/targets.ts';
import { FUNCTIONS_SCHEMA } from './functions/stored-functions.ts';
import type { PinnedConnection } from './pinned-connections.ts';
import type {
  CatalogDescription,
  ColumnDescription,
  SchemaDescription,
  TableDescription,
  TableVersion,
} from './ports.ts';
import { queryTexts } from './query-texts.ts';
import { parseChanges } from './snapshot-changes.ts';

/** Older ones are there for SQL; a list for people ends somewhere. */
const SNAPSHOTS_MAX = 1000;
const STAGING = 'staging';

interface Table {
  readonly schema: string;
  readonly name: string;
  readonly kind: TableDescription['kind'];
  readonly columns: ColumnDescription[];
}

export async function describeLake(
  pin: PinnedConnection,
  staged: readonly string[],
): Promise<CatalogDescription> {
  const { connection, snapshot } = pin;
  const tables = await readTables(connection);
  const versions = await readVersions(connection);
  const schemas = new Map<string, TableDescription[]>();
  for (const name of await readSchemas(connection)) schemas.set(name, []);
  if (staged.length > 0) schemas.set(STAGING, []);
  for (const { schema, name, kind, columns } of tables) {
    const described = { name, kind, columns, versions: versions.get(`${schema}.${name}`) ?? [] };
    schemas.get(schema)?.push(described);
  }
  return { snapshot, schemas: [...schemas].map(toSchema) };
}

function toSchema([name, tables]: [string, TableDescription[]]): SchemaDescription {
  return { name, tables };
}

async function readSchemas(connection: DuckDBConnection): Promise<string[]> {
  const rows = await queryTexts(
    connection,
    `SELECT schema_name FROM duckdb_schemas() WHERE database_name = '${LAKE_CATALOG}'
       AND schema_name <> '${FUNCTIONS_SCHEMA}' ORDER BY schema_name`,
  );
  return rows.map(([name]) => name!);
}

async function readTables(connection: DuckDBConnection): Promise<Table[]> {
  const rows = await queryTexts(
    connection,
    `SELECT c.database_name, c.schema_name, c.table_name, c.column_name, c.data_type,
       c.is_nullable, v.view_name IS NOT NULL
     FROM duckdb_columns() c
     LEFT JOIN duckdb_views() v ON v.database_name = c.database_name
       AND v.schema_name = c.schema_name AND v.view_name = c.table_name
     WHERE c.database_name IN ('${LAKE_CATALOG}', '${STAGING}') AND NOT c.internal
       AND c.schema_name <> '${FUNCTIONS_SCHEMA}'
     ORDER BY c.database_name, c.schema_name, c.table_name, c.column_index`,
  );
  const tables = new Map<string, Table>();
  for (const [database, schema, name, column, type, isNullable, isView] of rows) {
    const isStaged = database === STAGING;
    const place = isStaged ? STAGING : schema!;
    const key = `${place}.${name!}`;
    const table = tables.get(key) ?? {
      schema: place,
      name: name!,
      kind: isStaged ? 'external' : isView === 'true' ? 'view' : 'table',
      columns: [],
    };
    table.columns.push({
      name: column!,
      type: type!,
      isNullable: isNullable === 'true',
    });
    tables.set(key, table);
  }
  return [...tables.values()];
}

/** By `schema.table`. */
async function readVersions(connection: DuckDBConnection): Promise<Map<string, TableVersion[]>> {
  const named = await queryTexts(
    connection,
    `SELECT t.table_id, s.schema_name || '.' || t.table_name
     FROM ${META}.ducklake_table t JOIN ${META}.ducklake_schema s USING (schema_id)
     WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL`,
  );
  const names = new Map(named.map(([id, name]) => [id!, name!] as const));
  const rows = await queryTexts(
    connection,
    `SELECT n.snapshot_id, strftime(n.snapshot_time::TIMESTAMPTZ, '%Y-%m-%dT%H:%M:%S.%gZ'),
       c.changes_made
     FROM ${META}.ducklake_snapshot n JOIN ${META}.ducklake_snapshot_changes c USING (snapshot_id)
     ORDER BY n.snapshot_id DESC LIMIT ${SNAPSHOTS_MAX}`,
  );
  const versions = new Map<string, TableVersion[]>();
  for (const [snapshot, time, changes] of rows.toReversed()) {
    const { tableIds, created } = parseChanges(changes!);
    const changed = new Set([...created, ...tableIds.map((id) => names.get(String(id)) ?? '')]);
    for (const name of changed) {
      const list = versions.get(name) ?? [];
      list.push({ snapshot: BigInt(snapshot!), time: time! });
      versions.set(name, list);
    }
  }
  return versions;
}
