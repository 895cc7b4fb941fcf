// Executes one statement, and writes what it returns as Hrana's StmtResult.
//
// The text is put together by hand: rows are most of what a worker does, and objects of them for
// JSON.stringify() would take longer than SQLite does.

import { HranaError } from '../errors.ts';
import type { NamedArgument, SqlValue, Statement } from '../protocol.ts';
import type { Parameters } from '../sql-text.ts';
import type { Connection, PreparedStatement } from './connection.ts';

/** What is left for the answer to one request. */
export interface Budget {
  rows: number;
  bytes: number;
}

/** Throws HranaError, SqliteError. */
export function executeStatement(
  connection: Connection,
  prepared: PreparedStatement,
  { args, namedArgs, wantsRows }: Statement,
  budget: Budget,
): string {
  const bound = bind(prepared.parameters, args, namedArgs);
  connection.note(prepared);
  const { statement, isReadonly } = prepared;
  if (!statement.reader) {
    const { changes, lastInsertRowid } = statement.run(...bound);
    return resultOf('[]', '[]', isReadonly ? undefined : [changes, lastInsertRowid]);
  }
  const rows = readRows(prepared, bound, wantsRows ? budget : undefined);
  // Only now: a statement learns of a changed schema when it runs.
  const columns = wantsRows ? columnsOf(prepared) : '[]';
  return resultOf(columns, rows, isReadonly ? undefined : connection.lastChange());
}

type Change = readonly [changes: number | bigint, lastInsertRowid: number | bigint];

function resultOf(columns: string, rows: string, change: Change | undefined): string {
  const [changes, rowid] = change ?? [0, undefined];
  const id = rowid === undefined ? 'null' : `"${rowid}"`;
  const written = `"affected_row_count":${changes},"last_insert_rowid":${id}`;
  return `{"cols":${columns},"rows":${rows},${written}}`;
}

export function columnsOf({ statement }: PreparedStatement): string {
  const columns = statement.columns().map(({ name, type }) => {
    return `{"name":${JSON.stringify(name)},"decltype":${JSON.stringify(type)}}`;
  });
  return `[${columns.join(',')}]`;
}

/** Undefined for `budget`: nobody wants to see them. */
function readRows(
  { statement, isReadonly }: PreparedStatement,
  bound: readonly unknown[],
  budget: Budget | undefined,
): string {
  let text = '[';
  for (const row of statement.iterate(...bound)) {
    if (budget === undefined) continue;
    let line = text.length === 1 ? '[' : ',[';
    for (let i = 0; i < row.length; i += 1) {
      if (i > 0) line += ',';
      line += formatValue(row[i] as SqlValue);
    }
    line += ']';
    budget.rows -= 1;
    budget.bytes -= line.length;
    if (budget.rows < 0 || budget.bytes < 0) {
      const reason = isReadonly ? 'ask for fewer rows' : 'what RETURNING tells of was written';
      throw new HranaError('RESPONSE_TOO_LARGE', `The answer is too large: ${reason}`);
    }
    text += line;
  }
  return `${text}]`;
}

function formatValue(value: SqlValue): string {
  if (value === null) return '{"type":"null"}';
  if (typeof value === 'bigint') return `{"type":"integer","value":"${value}"}`;
  if (typeof value === 'string') return `{"type":"text","value":${JSON.stringify(value)}}`;
  if (typeof value === 'number') return `{"type":"float","value":${formatFloat(value)}}`;
  return `{"type":"blob","base64":"${value.toString('base64')}"}`;
}

/** JSON has no word for infinity, but numbers that nobody can tell from it. */
function formatFloat(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0.0' : String(value);
  return value > 0 ? '1e999' : '-1e999';
}

/**
 * The arguments in the way of better-sqlite3: those of parameters without a name in their order,
 * then an object with the others, by name without its sign.
 */
function bind(
  parameters: Parameters,
  args: readonly SqlValue[],
  namedArgs: readonly NamedArgument[],
): readonly unknown[] {
  if (args.length > parameters.length) {
    throw invalid(`${args.length} arguments for ${parameters.length} parameters`);
  }
  if (parameters.length === 0) {
    if (namedArgs.length > 0) throw invalid('there are no parameters');
    return [];
  }
  const unnamed: SqlValue[] = [];
  const named: Record<string, SqlValue> = {};
  for (const [index, parameter] of parameters.entries()) {
    if (parameter === undefined) {
      // SQLite has a place for it all the same.
      unnamed.push(null);
      continue;
    }
    const name = parameter.slice(1);
    const value = namedArgs.find((each) => isNamed(each, parameter))?.value ?? args[index];
    if (value === undefined)
      throw invalid(`there is no value for ${parameter}, number ${index + 1}`);
    if (name === '') {
      unnamed.push(value);
      continue;
    }
    if (Object.hasOwn(named, name)) {
      throw invalid(`two parameters differ only in the sign before ${name}`);
    }
    named[name] = value;
  }
  return Object.keys(named).length === 0 ? unnamed : [...unnamed, named];
}

function isNamed({ name }: NamedArgument, parameter: string): boolean {
  return name === parameter || name === parameter.slice(1);
}

function invalid(reason: string): HranaError {
  return new HranaError('ARGS_INVALID', `Cannot bind the arguments: ${reason}`);
}
