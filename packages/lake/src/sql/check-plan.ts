// What a statement would do, as DuckDB itself says: EXPLAIN (FORMAT JSON) after views, macros and
// everything else is resolved. Each operator must be in a list; DuckDB shows the name of a table
// function as the operator, so one that is not listed is refused however it was reached.

import { LakeError } from '../engine/errors.ts';
import { forbidden } from './check-text.ts';
import { TABLE_FUNCTIONS_ALLOWED } from './names.ts';

/** Operators that compute, read the lake, or write to it by way of DuckLake. */
const OPERATORS: ReadonlySet<string> = new Set([
  'ASOF_JOIN',
  'BLOCKWISE_NL_JOIN',
  'COLUMN_DATA_SCAN',
  'COPY_TO_FILE',
  'BATCH_COPY_TO_FILE',
  'CROSS_PRODUCT',
  'CTE',
  'CTE_SCAN',
  'DELIM_JOIN',
  'DELIM_SCAN',
  'DUMMY_SCAN',
  'EMPTY_RESULT',
  'EXPRESSION_SCAN',
  'FILTER',
  'HASH_GROUP_BY',
  'HASH_JOIN',
  'IE_JOIN',
  'INOUT_FUNCTION',
  'LEFT_DELIM_JOIN',
  'LIMIT',
  'LIMIT_PERCENT',
  'MERGE_INTO',
  'NESTED_LOOP_JOIN',
  'ORDER_BY',
  'PARTITIONED_AGGREGATE',
  'PERFECT_HASH_GROUP_BY',
  'PIECEWISE_MERGE_JOIN',
  'PIVOT',
  'POSITIONAL_JOIN',
  'POSITIONAL_SCAN',
  'PROJECTION',
  'REC_CTE',
  'REC_CTE_SCAN',
  'REC_KEY_CTE',
  'REC_REC_CTE_SCAN',
  'RESERVOIR_SAMPLE',
  'RESULT_COLLECTOR',
  'RIGHT_DELIM_JOIN',
  'SIMPLE_AGGREGATE',
  'STREAMING_LIMIT',
  'STREAMING_SAMPLE',
  'STREAMING_WINDOW',
  'TOP_N',
  'UNGROUPED_AGGREGATE',
  'UNION',
  'UNNEST',
  'WINDOW',
  'DUCKLAKE_CREATE_TABLE_AS',
  'DUCKLAKE_COMPACTION',
  'DUCKLAKE_DELETE',
  'DUCKLAKE_INLINED_SCAN',
  'DUCKLAKE_INLINE_DATA',
  'DUCKLAKE_INSERT',
  'DUCKLAKE_MERGE_INSERT',
  'DUCKLAKE_MERGE_INTO',
  'DUCKLAKE_SCAN',
  'DUCKLAKE_UPDATE',
  ...[...TABLE_FUNCTIONS_ALLOWED].map((name) => name.toUpperCase()),
]);

/** Readers of files: what a table in `staging` is made of. */
const FILE_READERS: ReadonlySet<string> = new Set(['READ_CSV', 'READ_PARQUET', 'READ_JSON']);

export interface PlanPolicy {
  /** Whether the statement may read staged files: it names `staging`. */
  readonly mayReadStaging: boolean;
}

/** Throws LAKE_FORBIDDEN, naming the operator. */
export function checkPlan(explained: string, policy: PlanPolicy): void {
  for (const name of operatorsOf(explained)) {
    if (OPERATORS.has(name)) continue;
    if (policy.mayReadStaging && FILE_READERS.has(name)) continue;
    throw forbidden(`The statement would use ${name}, which is not for clients`);
  }
}

interface PlanNode {
  readonly name: string;
  readonly children: readonly PlanNode[];
}

function operatorsOf(explained: string): Set<string> {
  let roots: unknown;
  try {
    roots = JSON.parse(explained);
  } catch (cause) {
    throw new LakeError('forbidden', 'LAKE_FORBIDDEN', 'The plan of the statement is unreadable', {
      cause,
    });
  }
  const names = new Set<string>();
  const open: unknown[] = Array.isArray(roots) ? [...roots] : [roots];
  while (open.length > 0) {
    const node = open.pop();
    if (!isPlanNode(node)) throw forbidden('The plan of the statement is unreadable');
    names.add(node.name.trim());
    open.push(...node.children);
  }
  return names;
}

function isPlanNode(node: unknown): node is PlanNode {
  return (
    typeof node === 'object' &&
    node !== null &&
    'name' in node &&
    typeof node.name === 'string' &&
    'children' in node &&
    Array.isArray(node.children)
  );
}
