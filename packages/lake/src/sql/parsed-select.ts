// What a query names, read from DuckDB's own syntax tree (json_serialize_sql).
//
// A plain query is one of which these names tell all: no operator can be in its plan but those that
// compute, and scans of the tables that it names (engine/catalog-names.ts says which those are).
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
  /** Whether nothing is in it but what a plain query may have. */
  readonly isPlain: boolean;
}

/** Of queries, of what stands in FROM, and of what follows; expressions have a class beside it. */
const PLAIN_NODES: ReadonlySet<string> = new Set([
  'SELECT_NODE',
  'SET_OPERATION_NODE',
  'BASE_TABLE',
  'JOIN',
  'SUBQUERY',
  'EMPTY',
  'EXPRESSION_LIST',
  'ORDER_MODIFIER',
  'ORDER_DEFAULT',
  'ASCENDING',
  'DESCENDING',
  'LIMIT_MODIFIER',
  'LIMIT_PERCENT_MODIFIER',
  'DISTINCT_MODIFIER',
]);
const TYPE_INFO = /_TYPE_INFO$/;

export function namesInQuery(tree: unknown): QueryNames {
  const tables = new Set<string>();
  const bareTables = new Set<string>();
  const functions = new Set<string>();
  const common = new Set<string>();
  let isPlain = true;
  for (const node of nodesOf(tree)) {
    isPlain &&= isPlainNode(node);
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
    // A name of a common table may mean another table elsewhere in the query.
    isPlain: isPlain && common.size === 0,
  };
}

function isPlainNode(node: Record<string, unknown>): boolean {
  const { function_name: called } = node;
  if (typeof called === 'string' && !isAscii(called)) return false;
  const type = maybeNodeType(node);
  if (type === undefined) return true;
  if (type === 'BASE_TABLE') return isPlainTable(node);
  return PLAIN_NODES.has(type) || TYPE_INFO.test(type);
}

/**
 * Of the lake as it is now, with a name that cannot be taken for another one's: of letters beyond
 * ASCII JavaScript makes small ones that DuckDB takes for others.
 */
function isPlainTable(node: Record<string, unknown>): boolean {
  const { catalog_name: catalog, schema_name: schema, table_name: table, at_clause: at } = node;
  const isSimple = [schema, table].every(
    (name) => typeof name === 'string' && isAscii(name) && !name.includes('.'),
  );
  return isSimple && catalog === '' && at === null;
}

function isAscii(name: string): boolean {
  return /^[ -~]*$/.test(name);
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

/** Of queries, of what stands in FROM and of what follows; undefined: an expression, or a part. */
export function maybeNodeType({ type, class: kind }: Record<string, unknown>): string | undefined {
  return typeof type === 'string' && typeof kind !== 'string' ? type : undefined;
}

/** All objects of the tree, whatever they are. */
export function* nodesOf(tree: unknown): Iterable<Record<string, unknown>> {
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const node = open.pop();
    if (Array.isArray(node)) open.push(...(node as readonly unknown[]));
    if (!isRecord(node)) continue;
    open.push(...Object.values(node));
    yield node;
  }
}

export function isRecord(node: unknown): node is Record<string, unknown> {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}
