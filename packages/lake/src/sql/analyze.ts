// A request's text as the statements that the engine can run, none of them run yet.
//
// What is a read is decided by DuckDB's parser: only what it can give as the syntax tree of a query
// is one, or an EXPLAIN of one. Everything else writes, or is refused by list. Names that no client
// may use are looked for before DuckDB binds anything.

import { LakeError } from '../engine/errors.ts';
import { translateError } from '../engine/translate-error.ts';
import {
  checkFileNames,
  checkNames,
  checkNoFileNames,
  checkTableNames,
  forbidden,
} from './check-text.ts';
import { copyIntoFolder } from './copy-target.ts';
import { type ExternalTable, isExternalTable, parseExternalTable } from './external-table.ts';
import {
  type FunctionDefinition,
  type FunctionRemoval,
  maybeParseCreateFunction,
  maybeParseDropFunction,
} from './function-definition.ts';
import { isDeniedFunction, VOLATILE_FUNCTIONS } from './names.ts';
import { namesInQuery, type QueryNames } from './parsed-select.ts';
import { sizeOf } from './query-size.ts';
import { rewriteDefinition, rewriteQuery } from './rewrite.ts';
import { checkNoMove, dropsWholeSchema } from './schema-definitions.ts';
import { type Piece, splitStatements } from './split.ts';
import { definitionOf } from './targets.ts';
import { TokenCursor } from './token-cursor.ts';
import { isName, isSymbol, isWord, type Token } from './tokens.ts';

/** Of one request: each is prepared, checked and run by itself. */
export const STATEMENTS_MAX = 1000;

/** DuckDB's parser, which lives on a connection. */
export interface SqlParser {
  /** Throws LAKE_PARSE; gives how many statements the text has. */
  countStatements(sql: string): Promise<number>;
  /** The syntax tree if the text is nothing but queries. */
  maybeQueryTree(sql: string): Promise<QueryTree | undefined>;
}

/** What json_serialize_sql gives. */
export interface QueryTree {
  readonly statements: readonly unknown[];
}

/** For DuckDB, after rewriting. */
export interface SqlWork {
  readonly type: 'sql';
  readonly sql: string;
  /** What EXPLAIN is asked about first; most definitions have no plan. */
  readonly planSql: string | undefined;
  /** Of a plain query: its names may make it unnecessary to ask. */
  readonly plain: PlainQuery | undefined;
  readonly mayReadStaging: boolean;
  readonly isDefinition: boolean;
  /** The name of the table that it alters, without its schema. */
  readonly altered: string | undefined;
  /** Whether it has to be the only statement: what follows it could not be inlined. */
  readonly isAlone: boolean;
}

export interface PlainQuery {
  readonly names: QueryNames;
  /** Then its result may be taken as a whole. */
  readonly hasFewRows: boolean;
  /** Then there is nothing in it but one table. */
  readonly isOneScan: boolean;
}

export type Work =
  | SqlWork
  | { readonly type: 'external-table'; readonly table: ExternalTable }
  | { readonly type: 'drop-external'; readonly name: string; readonly isIfExists: boolean }
  | { readonly type: 'vacuum'; readonly table: readonly string[] | undefined }
  | { readonly type: 'create-function'; readonly definition: FunctionDefinition }
  | { readonly type: 'drop-function'; readonly removal: FunctionRemoval; readonly sql: string };

export interface Statement {
  readonly kind: string;
  /** As the client wrote it. */
  readonly sql: string;
  readonly isRead: boolean;
  /** Of a read: whether nothing it names, as far as its text says, changes within a snapshot. */
  readonly isDeterministic: boolean;
  readonly tables: readonly string[];
  /** What is called or named; views and macros among them can be volatile. */
  readonly names: readonly string[];
  readonly work: Work;
}

export interface AnalyzeOptions {
  readonly exportFolder: string | undefined;
}

/** Throws LakeError of kind parse, plan or forbidden, with the index of the statement. */
export async function analyze(
  sql: string,
  parser: SqlParser,
  options: AnalyzeOptions,
): Promise<Statement[]> {
  const pieces = splitStatements(sql);
  if (pieces.length === 0) throw new LakeError('parse', 'LAKE_PARSE', 'Empty query received');
  if (pieces.length > STATEMENTS_MAX) {
    throw new LakeError('parse', 'LAKE_PARSE', `More than ${STATEMENTS_MAX} statements`);
  }
  const statements: Statement[] = [];
  for (const [index, piece] of pieces.entries()) {
    try {
      statements.push(await analyzePiece(piece, parser, options));
    } catch (error) {
      throw withIndex(translateError(error, { privatePaths: [] }), index);
    }
  }
  const alone = statements.findIndex(({ work }) => work.type === 'sql' && work.isAlone);
  if (alone < 0 || statements.length === 1) return statements;
  const message = `${statements[alone]!.kind} of this kind has to be the only statement`;
  throw new LakeError('plan', 'LAKE_PLAN', message, { statementIndex: alone });
}

export function withIndex(error: LakeError, statementIndex: number): LakeError {
  if (error.statementIndex !== undefined) return error;
  return new LakeError(error.kind, error.code, error.message, { statementIndex, cause: error });
}

async function analyzePiece(
  piece: Piece,
  parser: SqlParser,
  options: AnalyzeOptions,
): Promise<Statement> {
  const own = maybeOwnStatement(piece);
  if (own !== undefined) return own;
  checkNames(piece.tokens);
  checkFileNames(piece.tokens);
  const first = piece.tokens[0]!;
  if (isSymbol(first, '(') || isWord(first, ...QUERY_WORDS)) {
    return analyzeQuery(piece, parser);
  }
  if (isWord(first, 'explain')) return analyzeExplain(piece, parser, options);
  if (isWord(first, ...CHANGE_WORDS)) return analyzeChange(piece, parser);
  if (isWord(first, 'create', 'drop', 'alter', 'comment')) return analyzeDefinition(piece, parser);
  if (isWord(first, 'copy')) return analyzeCopy(piece, parser, options);
  // A text that is no statement at all is an error of the parser's, with its position.
  await parser.countStatements(piece.sql);
  throw forbidden(`${first.value.toUpperCase()} is not for clients`);
}

const QUERY_WORDS = [
  'select',
  'with',
  'values',
  'from',
  'show',
  'describe',
  'desc',
  'summarize',
  'table',
  'pivot',
  'unpivot',
];
const CHANGE_WORDS = ['insert', 'update', 'delete', 'merge', 'truncate'];

async function analyzeQuery(piece: Piece, parser: SqlParser): Promise<Statement> {
  const sql = rewriteQuery(piece);
  const tree = await parser.maybeQueryTree(sql);
  if (tree === undefined) {
    await checkSingle(sql, parser);
    // WITH … INSERT.
    return analyzeChange(piece, parser);
  }
  checkCount(tree.statements.length);
  const queryNames = namesInQuery(tree);
  const { tables, bareTables, functions, isPlain } = queryNames;
  checkTableNames(bareTables);
  const denied = functions.find(isDeniedFunction);
  if (denied !== undefined) throw forbidden(`The function ${denied} is not for clients`);
  const names = [...new Set([...functions, ...tables])];
  const work = sqlWork(piece, sql, sql);
  return {
    kind: 'SELECT',
    sql: piece.sql,
    isRead: true,
    // Tables of `staging` are other ones in the next process, and in this one when it is told to.
    isDeterministic: !work.mayReadStaging && !isVolatile(piece.tokens, names),
    tables,
    names,
    work:
      isPlain && !work.mayReadStaging
        ? { ...work, plain: { names: queryNames, ...sizeOf(tree) } }
        : work,
  };
}

/** Words without brackets, such as `current_date`, are no functions in the tree. */
function isVolatile(tokens: readonly Token[], names: readonly string[]): boolean {
  return (
    names.some((name) => VOLATILE_FUNCTIONS.has(name) || isOfThisProcess(name)) ||
    tokens.some((token) => token.kind === 'word' && VOLATILE_FUNCTIONS.has(token.value)) ||
    tokens.some((token) => isWord(token, 'sample', 'tablesample', 'show'))
  );
}

/** What only this process knows, or what tells of it. */
function isOfThisProcess(name: string): boolean {
  return /^(?:information_schema\.|duckdb_|pragma_|system\.|pg_)/.test(name);
}

/** EXPLAIN does what it explains when it is to ANALYZE it. */
async function analyzeExplain(
  piece: Piece,
  parser: SqlParser,
  options: AnalyzeOptions,
): Promise<Statement> {
  const cursor = new TokenCursor(piece.tokens);
  cursor.words('explain');
  cursor.tryWords('analyze');
  if (cursor.trySymbol('(')) while (!cursor.trySymbol(')')) cursor.take();
  const start = cursor.next?.start;
  if (start === undefined) throw cursor.unexpected('a statement');
  const [inner] = splitStatements(piece.sql.slice(start));
  const statement = await analyzePiece(inner!, parser, options);
  const { work } = statement;
  if (work.type !== 'sql' || work.planSql === undefined) {
    throw forbidden(`${statement.kind} cannot be explained`);
  }
  const sql = piece.sql.slice(0, start) + work.sql;
  await checkSingle(sql, parser);
  return {
    ...statement,
    kind: 'EXPLAIN',
    sql: piece.sql,
    isDeterministic: false,
    work: { ...work, sql, plain: undefined },
  };
}

async function analyzeChange(piece: Piece, parser: SqlParser): Promise<Statement> {
  const sql = rewriteQuery(piece);
  await checkSingle(sql, parser);
  const word = piece.tokens.find((token) => isWord(token, ...CHANGE_WORDS));
  if (word === undefined) throw forbidden('The statement is not for clients');
  return write(piece, word.value.toUpperCase(), sqlWork(piece, sql, sql));
}

async function analyzeDefinition(piece: Piece, parser: SqlParser): Promise<Statement> {
  checkNoMove(piece.tokens);
  const sql = rewriteDefinition(piece) + (dropsWholeSchema(piece.tokens) ? '\nCASCADE' : '');
  const { kind, target } = definitionOf(piece.tokens);
  await checkSingle(sql, parser);
  const isKept = kind === 'CREATE VIEW' || kind === 'CREATE MACRO' || kind === 'CREATE FUNCTION';
  if (isKept) checkNoFileNames(piece.tokens);
  const hasPlan = kind === 'CREATE TABLE' && piece.tokens.some((token) => isWord(token, 'as'));
  const work = sqlWork(piece, sql, hasPlan ? sql : undefined);
  const altered = kind === 'ALTER TABLE' ? target.at(-1) : undefined;
  const isAlone = altered !== undefined && piece.tokens.some(endsInlining);
  return write(piece, kind, { ...work, isDefinition: true, altered, isAlone });
}

/** Of an ALTER TABLE: a sort key, or a type that is not inlined (inlining.ts). */
function endsInlining(token: Token): boolean {
  return (
    isWord(token, 'sorted', 'struct', 'map', 'row', 'variant', 'geometry') || isSymbol(token, '[')
  );
}

async function analyzeCopy(
  piece: Piece,
  parser: SqlParser,
  options: AnalyzeOptions,
): Promise<Statement> {
  const [rewritten] = splitStatements(rewriteQuery(piece));
  const sql = copyIntoFolder(rewritten!, options.exportFolder);
  await checkSingle(sql, parser);
  return write(piece, 'COPY', sqlWork(piece, sql, sql));
}

async function checkSingle(sql: string, parser: SqlParser): Promise<void> {
  checkCount(await parser.countStatements(sql));
}

function checkCount(count: number): void {
  if (count === 1) return;
  throw new LakeError(
    'plan',
    'LAKE_PLAN',
    'PIVOT needs its values: write FROM (PIVOT … ON column IN (…) USING …)',
  );
}

/** Seafowl's and DataFusion's statements, which DuckDB's grammar does not have. */
function maybeOwnStatement(piece: Piece): Statement | undefined {
  const { tokens } = piece;
  if (isExternalTable(tokens)) {
    const table = parseExternalTable(tokens);
    return write(piece, 'CREATE EXTERNAL TABLE', { type: 'external-table', table });
  }
  const vacuum = maybeVacuum(tokens);
  if (vacuum !== undefined) return write(piece, 'VACUUM', vacuum);
  const dropped = maybeDropExternal(tokens);
  if (dropped !== undefined) return write(piece, 'DROP TABLE', dropped);
  const definition = maybeParseCreateFunction(tokens);
  if (definition !== undefined) {
    return write(piece, 'CREATE FUNCTION', { type: 'create-function', definition });
  }
  const removal = maybeParseDropFunction(tokens);
  if (removal === undefined) return undefined;
  return write(piece, 'DROP FUNCTION', { type: 'drop-function', removal, sql: piece.sql });
}

/** `VACUUM TABLE t`, `VACUUM DATABASE d`, `VACUUM t`, `VACUUM`. */
function maybeVacuum(tokens: readonly Token[]): Work | undefined {
  if (!isWord(tokens[0], 'vacuum')) return undefined;
  const cursor = new TokenCursor(tokens);
  cursor.words('vacuum');
  if (cursor.tryWords('database')) {
    if (!cursor.isAtEnd) cursor.name('the name of a database');
    cursor.end();
    return { type: 'vacuum', table: undefined };
  }
  cursor.tryWords('table');
  const table = cursor.isAtEnd ? undefined : cursor.qualifiedName('the name of a table');
  cursor.end();
  return { type: 'vacuum', table };
}

/** `DROP TABLE [IF EXISTS] staging.t`. */
function maybeDropExternal(tokens: readonly Token[]): Work | undefined {
  const cursor = new TokenCursor(tokens);
  if (!cursor.tryWords('drop', 'table') && !cursor.tryWords('drop', 'view')) return undefined;
  const isIfExists = cursor.tryWords('if', 'exists');
  if (!isName(cursor.next)) return undefined;
  const [schema, name, ...rest] = cursor.qualifiedName('the name of a table');
  if (schema?.toLowerCase() !== 'staging' || name === undefined || rest.length > 0) {
    return undefined;
  }
  cursor.end();
  return { type: 'drop-external', name, isIfExists };
}

function sqlWork(piece: Piece, sql: string, planSql: string | undefined): SqlWork {
  return {
    type: 'sql',
    sql,
    planSql,
    plain: undefined,
    isDefinition: false,
    altered: undefined,
    isAlone: false,
    mayReadStaging: piece.tokens.some(
      (token) => isName(token) && token.value.toLowerCase() === 'staging',
    ),
  };
}

function write(piece: Piece, kind: string, work: Work): Statement {
  return {
    kind,
    sql: piece.sql,
    isRead: false,
    isDeterministic: false,
    tables: [],
    names: [],
    work,
  };
}
