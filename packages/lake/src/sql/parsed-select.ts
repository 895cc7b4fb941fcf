// What a query names, read from DuckDB's own syntax tree (json_serialize_sql).
//
// The tree is JSON of a shape that only DuckDB knows fully; nothing is assumed of it but the fields
// named here. Names of common table expressions are no tables, except where a schema stands before.

export interface QueryNames {
  /** `schema.table` or `table`, in lower case, as written. */
  readonly tables: readonly string[];
  /** Those without a schema, which DuckDB could take for files. */
  readonly bareTables: readonly string[];
  /** Of functions in expressions and in FROM, in lower case. */
  readonly functions: readonly string[];
}

export function namesInQuery(tree: unknown): QueryNames {
  const tables = new Set<string>();
  const bareTables = new Set<string>();
  const functions = new Set<string>();
  const common = new Set<string>();
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const node = open.pop();
    if (Array.isArray(node)) open.push(...(node as readonly unknown[]));
    if (!isRecord(node)) continue;
    open.push(...Object.values(node));
    if (node['type'] === 'BASE_TABLE') {
      tables.add(tableName(node));
      if (node['schema_name'] === '') bareTables.add(tableName(node));
    }
    if (typeof node['function_name'] === 'string') {
      functions.add(node['function_name'].toLowerCase());
    }
    for (const name of commonTables(node)) common.add(name);
  }
  return {
    tables: [...tables].filter((table) => !common.has(table)),
    bareTables: [...bareTables],
    functions: [...functions],
  };
}

function tableName(node: Record<string, unknown>): string {
  const schema = typeof node['schema_name'] === 'string' ? node['schema_name'] : '';
  const table = typeof node['table_name'] === 'string' ? node['table_name'] : '';
  return (schema === '' ? table : `${schema}.${table}`).toLowerCase();
}

/** `cte_map: {map: [{key: name, value: …}]}`. */
function commonTables(node: Record<string, unknown>): string[] {
  const map = isRecord(node['cte_map']) ? node['cte_map']['map'] : undefined;
  if (!Array.isArray(map)) return [];
  return (map as readonly unknown[]).flatMap((entry) =>
    isRecord(entry) && typeof entry['key'] === 'string' ? [entry['key'].toLowerCase()] : [],
  );
}

function isRecord(node: unknown): node is Record<string, unknown> {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}
