// Which tables a snapshot of the lake has, and which names are something else: views, macros. Of a
// plain query (sql/parsed-select.ts) that names such tables, and nothing that has a definition,
// nobody has to ask the plan: it scans these tables, and computes.
//
// The names are looked up as the search path of clients does (duckdb-session.ts).

import type { DuckDBConnection } from '@duckdb/node-api';

import type { QueryNames } from '../sql/parsed-select.ts';
import { LAKE_CATALOG } from '../sql/targets.ts';
import type { Snapshot } from './ports.ts';
import { queryTexts } from './query-texts.ts';

const METADATA = `__ducklake_metadata_${LAKE_CATALOG}`;

export class CatalogNames {
  /** `schema.table`, in lower case; so are the others. */
  #tables: ReadonlySet<string> = new Set();
  #views: ReadonlySet<string> = new Set();
  /** Without their schemas. */
  #macros: ReadonlySet<string> = new Set();
  #schemaVersion: bigint | undefined;

  /** To be called within a transaction on the snapshot. */
  async load(connection: DuckDBConnection, { id, schemaVersion }: Snapshot): Promise<void> {
    if (this.#schemaVersion === schemaVersion) return;
    const at = (part: string): string =>
      `${part}.begin_snapshot <= ${id} AND (${part}.end_snapshot IS NULL OR ${part}.end_snapshot > ${id})`;
    const relations = (kind: 'table' | 'view'): string =>
      `SELECT '${kind}', s.schema_name, r.${kind}_name
       FROM ${METADATA}.ducklake_${kind} r JOIN ${METADATA}.ducklake_schema s USING (schema_id)
       WHERE ${at('r')} AND ${at('s')}`;
    const rows = await queryTexts(
      connection,
      `${relations('table')} UNION ALL ${relations('view')}
       UNION ALL SELECT 'macro', '', m.macro_name FROM ${METADATA}.ducklake_macro m WHERE ${at('m')}`,
    );
    const of = (wanted: string, name: (schema: string, name: string) => string): Set<string> =>
      new Set(
        rows
          .filter(([kind]) => kind === wanted)
          .map(([, schema, own]) => name(schema!, own!).toLowerCase()),
      );
    this.#tables = of('table', (schema, name) => `${schema}.${name}`);
    this.#views = of('view', (schema, name) => `${schema}.${name}`);
    this.#macros = of('macro', (_, name) => name);
    this.#schemaVersion = schemaVersion;
  }

  /** Whether a query of these names reads tables of the lake in this state, and nothing else. */
  tellAll({ tables, functions }: QueryNames, schemaVersion: bigint): boolean {
    return (
      this.#schemaVersion === schemaVersion &&
      tables.every((table) => this.#isTable(table)) &&
      !functions.some((name) => this.#macros.has(name))
    );
  }

  #isTable(name: string): boolean {
    if (name.includes('.')) return this.#isOnlyTable(name);
    if (this.#isOnlyTable(`public.${name}`)) return true;
    return this.#isOnlyTable(`main.${name}`) && !this.#views.has(`public.${name}`);
  }

  /** Lower case of ours and of DuckDB's differ beyond ASCII: one name may stand for two things. */
  #isOnlyTable(name: string): boolean {
    return this.#tables.has(name) && !this.#views.has(name);
  }
}
