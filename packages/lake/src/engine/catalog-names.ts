// Which tables a snapshot of the lake has, and which names are something else: views, macros. Of a
// plain query (sql/parsed-select.ts) that names such tables, and nothing that has a definition,
// nobody has to ask the plan: it scans these tables, and computes.
//
// The names are looked up as the search path of clients does (duckdb-session.ts).

import type { DuckDBConnection } from '@duckdb/node-api';

import type { QueryNames } from '../sql/parsed-select.ts';
import { LAKE_METADATA as META } from '../sql/targets.ts';
import type { Snapshot } from './ports.ts';
import { queryTexts } from './query-texts.ts';

export class CatalogNames {
  /** The number of `schema.table`, in lower case; so are the others. */
  #tables: ReadonlyMap<string, string> = new Map();
  #views: ReadonlySet<string> = new Set();
  /** Without their schemas. */
  #macros: ReadonlySet<string> = new Set();
  #schemaVersion: bigint | undefined;

  /** To be called within a transaction on the snapshot. */
  async load(connection: DuckDBConnection, { id, schemaVersion }: Snapshot): Promise<void> {
    if (this.#schemaVersion === schemaVersion) return;
    const at = (row: string): string =>
      `${row}.begin_snapshot <= ${id} AND coalesce(${row}.end_snapshot > ${id}, true)`;
    const relations = (kind: 'table' | 'view'): string =>
      `SELECT '${kind}', s.schema_name, r.${kind}_name, r.${kind}_id
       FROM ${META}.ducklake_${kind} r JOIN ${META}.ducklake_schema s USING (schema_id)
       WHERE ${at('r')} AND ${at('s')}`;
    const rows = await queryTexts(
      connection,
      `${relations('table')} UNION ALL ${relations('view')}
       UNION ALL SELECT 'macro', '', m.macro_name, 0
       FROM ${META}.ducklake_macro m WHERE ${at('m')}`,
    );
    const of = (wanted: string): [name: string, id: string][] =>
      rows
        .filter(([kind]) => kind === wanted)
        .map(([, schema, name, own]) => [toSmall(`${schema}.${name}`), own!]);
    this.#tables = new Map(of('table'));
    this.#views = new Set(of('view').map(([name]) => name));
    this.#macros = new Set(of('macro').map(([name]) => name.slice(1)));
    this.#schemaVersion = schemaVersion;
  }

  /** Whether a query of these names reads tables of the lake in this state, and nothing else. */
  tellAll({ tables, functions }: QueryNames, schemaVersion: bigint): boolean {
    return (
      this.#schemaVersion === schemaVersion &&
      tables.every((table) => this.maybeTableId(table) !== undefined) &&
      !functions.some((name) => this.#macros.has(name))
    );
  }

  /** The table that a query means by `schema.table` or `table`; undefined if it is none. */
  maybeTableId(name: string): string | undefined {
    if (name.includes('.')) return this.#maybeId(name);
    const found = this.#maybeId(`public.${name}`);
    return found ?? (this.#views.has(`public.${name}`) ? undefined : this.#maybeId(`main.${name}`));
  }

  #maybeId(name: string): string | undefined {
    return this.#views.has(name) ? undefined : this.#tables.get(name);
  }
}

/** As DuckDB compares names: only letters of ASCII have a large and a small form. */
function toSmall(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
