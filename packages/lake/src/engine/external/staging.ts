// External tables: files fetched to the scratch folder, as views in `staging`.
//
// They belong to this process, as Seafowl's do: every request sees them, they end with it, and no
// other node ever has them. Names of files have no suffix, so that DuckDB takes none of them for a
// table by its name, and cannot be guessed.

import { rm } from 'node:fs/promises';

import type { DuckDBConnection } from '@duckdb/node-api';

import { readerQuery } from '../../sql/external-reader.ts';
import type { ExternalTable } from '../../sql/external-table.ts';
import { quoteName } from '../../sql/token-cursor.ts';
import { LakeError } from '../errors.ts';

/** Each may be as large as a fetch may be. */
const TABLES_MAX = 100;

interface StagedTable {
  readonly name: string;
  readonly path: string;
  readonly query: string;
}

export class Staging {
  readonly #tables = new Map<string, StagedTable>();

  get names(): readonly string[] {
    return [...this.#tables.values()].map(({ name }) => name);
  }

  has(name: string): boolean {
    return this.#tables.has(name.toLowerCase());
  }

  /** Throws LAKE_PLAN if it may not be made now; called before anything is fetched. */
  checkNew(table: ExternalTable, mayReplace: boolean): void {
    if (this.has(table.name) && !mayReplace && !table.isReplace) {
      throw new LakeError('plan', 'LAKE_PLAN', `Table "${table.name}" already exists`);
    }
    if (this.#tables.size >= TABLES_MAX && !this.has(table.name)) {
      throw new LakeError(
        'busy',
        'LAKE_BUSY',
        `There are ${TABLES_MAX} external tables already: drop one`,
      );
    }
  }

  /** The file becomes the table's. Gives what undoes it. */
  async add(
    connection: DuckDBConnection,
    table: ExternalTable,
    path: string,
  ): Promise<() => Promise<void>> {
    const key = table.name.toLowerCase();
    const previous = this.#tables.get(key);
    const staged = { name: table.name, path, query: readerQuery(table, path) };
    await createView(connection, staged);
    this.#tables.set(key, staged);
    return async () => {
      if (this.#tables.get(key) !== staged) return;
      if (previous === undefined) {
        await this.remove(connection, table.name);
        return;
      }
      await createView(connection, previous);
      this.#tables.set(key, previous);
      await rm(path, { force: true });
    };
  }

  async remove(connection: DuckDBConnection, name: string): Promise<void> {
    const staged = this.#tables.get(name.toLowerCase());
    if (staged === undefined) return;
    await connection.run(`DROP VIEW IF EXISTS staging.main.${quoteName(staged.name)}`);
    this.#tables.delete(name.toLowerCase());
    await rm(staged.path, { force: true });
  }
}

async function createView(connection: DuckDBConnection, staged: StagedTable): Promise<void> {
  await connection.run(
    `CREATE OR REPLACE VIEW staging.main.${quoteName(staged.name)} AS ${staged.query}`,
  );
}
