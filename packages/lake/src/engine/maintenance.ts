// What keeps a lake small and fast: inlined rows become Parquet, small files become large ones, old
// snapshots and the files that only they need go away.
//
// It runs in the queue of writes, never beside one. The extension's own defects are kept out of the
// way: it compares times as texts in two spellings, so that a whole day counts as older; so
// snapshots are expired by their numbers and files by the end of a day. `rewrite_data_files` and
// CHECKPOINT are never used: they narrow the statistics that older snapshots are read with.
//
// Files stay for `keepFilesMs` after the last snapshot that needs them: a catalog that is restored
// from a backup of that age finds all of them.

import type { DuckDBConnection } from '@duckdb/node-api';

import { LAKE_CATALOG, LAKE_METADATA as META } from '../sql/targets.ts';
import { quoteText } from '../sql/token-cursor.ts';
import { LakeError } from './errors.ts';
import { flushTable, type InlinedRows, readInlinedRows } from './inlining.ts';
import { queryTexts } from './query-texts.ts';
import { parseChanges } from './snapshot-changes.ts';
import type { EngineStep, MaintenancePolicy, MaintenanceReport } from './ports.ts';

/** As many small files of one table are merged; fewer cost less than the merge. */
const SMALL_FILES_MIN = 5;
/** Of a table: at one merge, so that the queue goes on. */
const MERGED_FILES_MAX = 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

export interface MaintenanceOptions {
  readonly policy: MaintenancePolicy;
  readonly now: () => number;
  readonly onStep: ((step: EngineStep) => void) | undefined;
}

/** On a connection outside of a transaction; in the queue. */
export async function maintain(
  connection: DuckDBConnection,
  options: MaintenanceOptions,
): Promise<MaintenanceReport> {
  const { policy, now, onStep } = options;
  onStep?.('maintenance.flush');
  const flushedTables = await flush(connection, policy, now());
  onStep?.('maintenance.merge');
  const mergedTables = await merge(connection, policy);
  onStep?.('maintenance.expire');
  const expired =
    policy.keepSnapshotsMs === 0 ? [] : await old(connection, now() - policy.keepSnapshotsMs);
  await expire(connection, expired);
  onStep?.('maintenance.remove');
  const removedFiles = await removeFiles(connection, now() - policy.keepFilesMs);
  return { flushedTables, mergedTables, expiredSnapshots: expired.length, removedFiles };
}

/** Seafowl's VACUUM: versions that nobody needs but for time travel go now; files by policy. */
export async function vacuum(
  connection: DuckDBConnection,
  table: readonly string[] | undefined,
  options: Pick<MaintenanceOptions, 'now'>,
): Promise<void> {
  if (table === undefined) {
    await expire(connection, await old(connection, options.now()));
    return;
  }
  const [name, schema = 'public'] = table.toReversed();
  const id = await tableId(connection, schema, name!);
  const rows = await queryTexts(
    connection,
    `SELECT c.snapshot_id, c.changes_made FROM ${META}.ducklake_snapshot_changes c
     WHERE c.snapshot_id < (SELECT max(snapshot_id) FROM ${META}.ducklake_snapshot)`,
  );
  // A snapshot that changed nothing else shows every other table as the one before it does.
  const own = rows.flatMap(([snapshot, changes]) => {
    const { tableIds, isOther } = parseChanges(changes!);
    const isOwn = !isOther && tableIds.length > 0 && tableIds.every((each) => each === id);
    return isOwn ? [BigInt(snapshot!)] : [];
  });
  await expire(connection, own);
}

async function tableId(
  connection: DuckDBConnection,
  schema: string,
  name: string,
): Promise<bigint> {
  const [row] = await queryTexts(
    connection,
    `SELECT t.table_id FROM ${META}.ducklake_table t
     JOIN ${META}.ducklake_schema s USING (schema_id)
     WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL
       AND lower(t.table_name) = lower($1) AND lower(s.schema_name) = lower($2)`,
    [name, schema],
  );
  if (row === undefined) throw new LakeError('plan', 'LAKE_PLAN', `Table "${name}" doesn't exist`);
  return BigInt(row[0]!);
}

/** Tables whose inlined rows are many, or old. */
async function flush(
  connection: DuckDBConnection,
  policy: MaintenancePolicy,
  nowMs: number,
): Promise<number> {
  const due = new Map<string, InlinedRows>();
  for (const rows of await readInlinedRows(connection)) {
    const isOld = nowMs - rows.oldestMs >= policy.flushAfterMs;
    if (rows.count >= policy.flushRows || isOld) due.set(`${rows.schema}.${rows.table}`, rows);
  }
  for (const rows of due.values()) await flushTable(connection, rows);
  return due.size;
}

/** Neighbours of tables that have many files far below the target. */
async function merge(connection: DuckDBConnection, policy: MaintenancePolicy): Promise<number> {
  const tables = await queryTexts(
    connection,
    `SELECT t.table_name, s.schema_name FROM ${META}.ducklake_data_file f
     JOIN ${META}.ducklake_table t ON t.table_id = f.table_id AND t.end_snapshot IS NULL
     JOIN ${META}.ducklake_schema s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL
     WHERE f.end_snapshot IS NULL AND f.file_size_bytes < ${Math.floor(policy.targetFileBytes / 2)}
     GROUP BY ALL HAVING count(*) >= ${SMALL_FILES_MIN}`,
  );
  for (const [table, schema] of tables) {
    await connection.run(
      `CALL ducklake_merge_adjacent_files('${LAKE_CATALOG}', ${quoteText(table!)},
        schema => ${quoteText(schema!)}, max_compacted_files => ${MERGED_FILES_MAX})`,
    );
  }
  return tables.length;
}

/** Snapshots before that moment, but for the newest of all. */
async function old(connection: DuckDBConnection, beforeMs: number): Promise<bigint[]> {
  const rows = await queryTexts(
    connection,
    `SELECT snapshot_id FROM ${META}.ducklake_snapshot
     WHERE snapshot_time::TIMESTAMPTZ < make_timestamptz(${Math.floor(beforeMs) * 1000})
       AND snapshot_id < (SELECT max(snapshot_id) FROM ${META}.ducklake_snapshot)`,
  );
  return rows.map(([id]) => BigInt(id!));
}

async function expire(connection: DuckDBConnection, snapshots: readonly bigint[]): Promise<void> {
  if (snapshots.length === 0) return;
  await connection.run(
    `CALL ducklake_expire_snapshots('${LAKE_CATALOG}', versions => [${snapshots.join(', ')}])`,
  );
}

/** Files that no snapshot needs since then, and those that no catalog has ever named. */
async function removeFiles(connection: DuckDBConnection, beforeMs: number): Promise<number> {
  const scheduled = await queryTexts(
    connection,
    `SELECT count(*) FROM ${META}.ducklake_files_scheduled_for_deletion`,
  );
  let removed = 0;
  if (Number(scheduled[0]?.[0] ?? 0) > 0) {
    removed += (
      await queryTexts(connection, removal('ducklake_cleanup_old_files', endOfDay(beforeMs)))
    ).length;
  }
  removed += (await queryTexts(connection, removal('ducklake_delete_orphaned_files', beforeMs)))
    .length;
  return removed;
}

function removal(call: string, beforeMs: number): string {
  const time = new Date(beforeMs).toISOString().replace('Z', '+00');
  return `FROM ${call}('${LAKE_CATALOG}', older_than => TIMESTAMPTZ '${time}')`;
}

/** The last full day before: all of the cutoff's own day counts as older for the extension. */
function endOfDay(beforeMs: number): number {
  return Math.floor(beforeMs / DAY_MS) * DAY_MS - 1;
}
