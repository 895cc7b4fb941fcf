// The requests of Hrana 2 in JSON, read defensively: strangers write them.
// https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_2_SPEC.md
//
// A pipeline is read as a whole before any of it is executed: one that is malformed does nothing.

import { HranaError } from './errors.ts';

export type SqlValue = null | bigint | number | string | Buffer;

export interface Statement {
  /** One of both: the text, or the number of one that was stored. */
  readonly sql: string | undefined;
  readonly sqlId: number | undefined;
  readonly args: readonly SqlValue[];
  readonly namedArgs: readonly NamedArgument[];
  readonly wantsRows: boolean;
}

export interface NamedArgument {
  /** With or without its sign. */
  readonly name: string;
  readonly value: SqlValue;
}

export type Condition =
  | { readonly type: 'ok' | 'error'; readonly step: number }
  | { readonly type: 'not'; readonly cond: Condition }
  | { readonly type: 'and' | 'or'; readonly conds: readonly Condition[] }
  | { readonly type: 'is_autocommit' };

export interface BatchStep {
  readonly condition: Condition | undefined;
  readonly statement: Statement;
}

export type SqlSource = Pick<Statement, 'sql' | 'sqlId'>;

export type StreamRequest =
  | { readonly type: 'execute'; readonly statement: Statement }
  | { readonly type: 'batch'; readonly steps: readonly BatchStep[] }
  | ({ readonly type: 'sequence' | 'describe' } & SqlSource)
  | { readonly type: 'store_sql'; readonly sqlId: number; readonly sql: string }
  | { readonly type: 'close_sql'; readonly sqlId: number }
  | { readonly type: 'close' | 'get_autocommit' };

/** Each costs some memory before it is executed. */
const REQUEST_COUNT_MAX = 1000;
const STEP_COUNT_MAX = 10_000;
/** Conditions of conditions; clients use two. */
const CONDITION_DEPTH_MAX = 32;
const NO_ARGUMENTS: readonly never[] = [];

type Fields = Readonly<Record<string, unknown>>;

/** The requests of the body of a pipeline. Throws HranaError. */
export function parsePipeline(text: string): readonly StreamRequest[] {
  const requests = listOf(asFields(parseJson(text), 'The body')['requests'], 'requests');
  if (requests.length > REQUEST_COUNT_MAX) {
    throw malformed(`${requests.length} requests, ${REQUEST_COUNT_MAX} are possible`);
  }
  return requests.map(parseRequest);
}

/** What continues a stream; undefined: a new one begins. Throws HranaError. */
export function parseBaton(text: string): string | undefined {
  const baton = asFields(parseJson(text), 'The body')['baton'];
  if (baton === undefined || baton === null) return undefined;
  if (typeof baton === 'string') return baton;
  throw malformed('the baton is no text');
}

function parseRequest(value: unknown): StreamRequest {
  const fields = asFields(value, 'A request');
  const { type } = fields;
  switch (type) {
    case 'execute':
      return { type, statement: parseStatement(fields['stmt']) };
    case 'batch':
      return { type, steps: parseSteps(asFields(fields['batch'], 'A batch')['steps']) };
    case 'sequence':
    case 'describe':
      return { type, ...parseSource(fields) };
    case 'store_sql':
      return { type, sqlId: numberOf(fields['sql_id'], 'sql_id'), sql: sqlOf(fields['sql']) };
    case 'close_sql':
      return { type, sqlId: numberOf(fields['sql_id'], 'sql_id') };
    case 'close':
    case 'get_autocommit':
      return { type };
    default:
      throw malformed(`there is no request of type ${JSON.stringify(type)}`);
  }
}

function parseSteps(value: unknown): readonly BatchStep[] {
  const steps = listOf(value, 'steps');
  if (steps.length > STEP_COUNT_MAX) {
    throw malformed(`${steps.length} steps, ${STEP_COUNT_MAX} are possible`);
  }
  return steps.map((step, index) => {
    const { stmt, condition } = asFields(step, 'A step');
    const isAlways = condition === undefined || condition === null;
    return {
      condition: isAlways ? undefined : parseCondition(condition, index, 0),
      statement: parseStatement(stmt),
    };
  });
}

/** A condition is about steps before its own. */
function parseCondition(value: unknown, ownStep: number, depth: number): Condition {
  if (depth > CONDITION_DEPTH_MAX) throw malformed('conditions are too deep');
  const fields = asFields(value, 'A condition');
  const { type } = fields;
  const inner = (each: unknown): Condition => parseCondition(each, ownStep, depth + 1);
  switch (type) {
    case 'ok':
    case 'error': {
      const step = numberOf(fields['step'], 'step');
      if (step >= ownStep) throw malformed('a condition is about a later step');
      return { type, step };
    }
    case 'not':
      return { type, cond: inner(fields['cond']) };
    case 'and':
    case 'or':
      return { type, conds: listOf(fields['conds'], 'conds').map(inner) };
    case 'is_autocommit':
      return { type };
    default:
      throw malformed(`there is no condition of type ${JSON.stringify(type)}`);
  }
}

function parseStatement(value: unknown): Statement {
  const fields = asFields(value, 'A statement');
  const { args, named_args: named, want_rows: wantsRows } = fields;
  return {
    ...parseSource(fields),
    args: isNone(args) ? NO_ARGUMENTS : listOf(args, 'args').map(parseValue),
    namedArgs: isNone(named) ? NO_ARGUMENTS : listOf(named, 'named_args').map(parseNamed),
    wantsRows: wantsRows !== false,
  };
}

function isNone(value: unknown): boolean {
  return value === undefined || value === null;
}

function parseNamed(value: unknown): NamedArgument {
  const fields = asFields(value, 'A named argument');
  return { name: textOf(fields['name']), value: parseValue(fields['value']) };
}

function parseSource({ sql, sql_id: sqlId }: Fields): SqlSource {
  if (typeof sql === 'string') return { sql: sqlOf(sql), sqlId: undefined };
  if (isNone(sqlId)) throw malformed('there is neither sql nor sql_id');
  return { sql: undefined, sqlId: numberOf(sqlId, 'sql_id') };
}

const INTEGER = /^-?\d{1,19}$/;
const INTEGER_MAX = 2n ** 63n;

function parseValue(value: unknown): SqlValue {
  const fields = asFields(value, 'A value');
  const { type, value: inner } = fields;
  switch (type) {
    case 'null':
      return null;
    case 'integer': {
      const integer = typeof inner === 'string' && INTEGER.test(inner) ? BigInt(inner) : undefined;
      if (integer === undefined || integer >= INTEGER_MAX || integer < -INTEGER_MAX) {
        throw malformed('an integer is no text with a number of 64 bits');
      }
      return integer;
    }
    case 'float':
      if (typeof inner !== 'number') throw malformed('a float is no number');
      return inner;
    case 'text':
      return textOf(inner);
    case 'blob':
      return blobOf(textOf(fields['base64']));
    default:
      throw malformed(`there is no value of type ${JSON.stringify(type)}`);
  }
}

/** Padding may be left out. Of what is no base64 Node would give as much as it understands. */
function blobOf(base64: string): Buffer {
  const { length } = base64.replace(/={1,2}$/, '');
  const blob = Buffer.from(base64, 'base64');
  if (length % 4 !== 1 && blob.length === Math.floor((length * 3) / 4)) return blob;
  throw malformed('a blob is no base64');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('the body is no JSON');
  }
}

function asFields(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw malformed(`${what} has no keys and values`);
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw malformed(`${what} is no list`);
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw malformed('a text is missing');
}

/** SQLite would take what stands before a NUL for all of it. */
function sqlOf(value: unknown): string {
  const sql = textOf(value);
  if (sql.includes('\0')) throw malformed('the SQL has a NUL character');
  return sql;
}

function numberOf(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw malformed(`${what} is no whole number`);
}

function malformed(reason: string): HranaError {
  return new HranaError('HRANA_MALFORMED', `Cannot read the request: ${reason}`);
}
