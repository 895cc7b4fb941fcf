// `changes_made` of DuckLake's snapshots: comma-separated, `kind:id` or `kind:"schema"."name"`.

export interface SnapshotChanges {
  /** Tables whose rows or columns changed. */
  readonly tableIds: readonly bigint[];
  /** Tables that were created or renamed, `schema.name`. */
  readonly created: readonly string[];
  /** Whether it did anything else: schemas, views, macros, drops. */
  readonly isOther: boolean;
}

const ENTRY = /([a-z_]+):(?:(\d+)|"((?:[^"]|"")*)"(?:\."((?:[^"]|"")*)")?)/g;
const OF_TABLES: ReadonlySet<string> = new Set([
  'inserted_into_table',
  'deleted_from_table',
  'altered_table',
  'inlined_insert',
  'inlined_delete',
  'inline_flush',
  'flushed_inlined',
  'merge_adjacent',
  'rewrite_delete',
  'compacted_table',
]);

export function parseChanges(text: string): SnapshotChanges {
  const tableIds: bigint[] = [];
  const created: string[] = [];
  let isOther = false;
  for (const [, kind, id, schema, name] of text.matchAll(ENTRY)) {
    if (id !== undefined && OF_TABLES.has(kind!)) tableIds.push(BigInt(id));
    else isOther = true;
    if (kind === 'created_table' && schema !== undefined && name !== undefined) {
      created.push(`${schema.replaceAll('""', '"')}.${name.replaceAll('""', '"')}`);
    }
  }
  return { tableIds, created, isOther };
}
