// What the syntax tree of a query says of its size: whether its result has few rows, however much
// it reads (one of an aggregate without groups, or what LIMIT leaves), and whether it reads one
// table and does nothing else.

import { isRecord, maybeNodeType, nodesOf } from './parsed-select.ts';

export interface QuerySize {
  /** What is not known to be few may be many. */
  readonly hasFewRows: boolean;
  readonly isOneScan: boolean;
}

const FEW_ROWS = 1000;

/** Of any rows they make one, if nothing groups them. */
const AGGREGATES: ReadonlySet<string> = new Set([
  'any_value',
  'avg',
  'count',
  'count_star',
  'first',
  'last',
  'max',
  'mean',
  'median',
  'min',
  'stddev',
  'sum',
]);

/** `tree`: of one query without common tables. */
export function sizeOf({ statements }: { readonly statements: readonly unknown[] }): QuerySize {
  const [statement] = statements;
  const node = isRecord(statement) ? statement['node'] : undefined;
  return {
    hasFewRows: isRecord(node) && (isLimited(node) || isOneRow(node)),
    isOneScan: isOneScan([...nodesOf(statement)].map(maybeNodeType)),
  };
}

/** A query within an expression counts too. */
function isOneScan(types: readonly (string | undefined)[]): boolean {
  const count = (type: string): number => types.filter((each) => each === type).length;
  const others = ['JOIN', 'SUBQUERY', 'SET_OPERATION_NODE', 'EXPRESSION_LIST', 'EMPTY'];
  return (
    count('SELECT_NODE') === 1 &&
    count('BASE_TABLE') === 1 &&
    others.every((type) => count(type) === 0)
  );
}

function isLimited({ modifiers }: Record<string, unknown>): boolean {
  return (
    Array.isArray(modifiers) &&
    modifiers.some((each: unknown) => {
      if (!isRecord(each) || each['type'] !== 'LIMIT_MODIFIER' || !isRecord(each['limit'])) {
        return false;
      }
      const { class: kind, value } = each['limit'];
      if (kind !== 'CONSTANT' || !isRecord(value)) return false;
      const count = value['value'];
      return typeof count === 'number' && count <= FEW_ROWS;
    })
  );
}

function isOneRow(node: Record<string, unknown>): boolean {
  const { type, group_expressions: groups, group_sets: sets, select_list: columns } = node;
  if (type !== 'SELECT_NODE' || !isEmpty(groups) || !isEmpty(sets)) return false;
  if (node['aggregate_handling'] !== 'STANDARD_HANDLING' || !Array.isArray(columns)) return false;
  const names = (columns as readonly unknown[]).map(functionOf);
  // One that makes rows, as unnest() does, may stand inside of any expression.
  return names.length > 0 && names.every((name) => name !== undefined && AGGREGATES.has(name));
}

/** A window has another class. */
function functionOf(column: unknown): string | undefined {
  if (!isRecord(column) || column['class'] !== 'FUNCTION') return undefined;
  const name = column['function_name'];
  return typeof name === 'string' ? name.toLowerCase() : undefined;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
