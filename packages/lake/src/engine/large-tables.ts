// Which tables are large. A query on one small table is not worth what DuckDB spends on it before
// it runs: to push its filter down, DuckLake asks the catalog for the statistics of every file,
// which takes twice as long as all the rest (docs/decisions/0021).

import type { DuckDBConnection } from '@duckdb/node-api';

import { LAKE_METADATA } from '../sql/targets.ts';
import type { Snapshot } from './ports.ts';
import { queryTexts } from './query-texts.ts';

/** A scan of less reads all columns and rows in a millisecond or two, needed or not. */
const SMALL_ROWS = 20_000;
const SMALL_BYTES = 512 * 1024;

export class LargeTables {
  #ids: ReadonlySet<string> | undefined;
  #snapshotId: bigint | undefined;

  async load(connection: DuckDBConnection, { id }: Snapshot): Promise<void> {
    if (this.#snapshotId === id) return;
    const rows = await queryTexts(
      connection,
      `SELECT table_id FROM ${LAKE_METADATA}.ducklake_table_stats
       WHERE record_count > ${SMALL_ROWS} OR file_size_bytes > ${SMALL_BYTES}`,
    );
    this.#ids = new Set(rows.map(([tableId]) => tableId!));
    this.#snapshotId = id;
  }

  /**
   * As of the newest snapshot that somebody has read in: for the choice of a plan that is enough.
   */
  has(tableId: string): boolean {
    return this.#ids?.has(tableId) !== false;
  }
}
