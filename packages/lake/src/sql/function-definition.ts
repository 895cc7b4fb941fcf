// CREATE FUNCTION name AS '<json>' and DROP FUNCTION, Seafowl's WASM functions.

import { z } from 'zod';

import { LakeError } from '../engine/errors.ts';
import { TokenCursor } from './token-cursor.ts';
import { isWord, type Token } from './tokens.ts';

/** Of a module after base64; inlined rows of the catalog hold it. */
const MODULE_BYTES_MAX = 4 * 1024 * 1024;
const ARGUMENTS_MAX = 32;

/** Seafowl's names of types, and what DuckDB has for them. */
const TYPE_NAMES = [
  'i32',
  'i64',
  'f32',
  'f64',
  'smallint',
  'int',
  'integer',
  'bigint',
  'float',
  'real',
  'double',
  'boolean',
  'char',
  'varchar',
  'text',
  'date',
  'timestamp',
] as const;

const Name = z.string().toLowerCase().pipe(z.enum(TYPE_NAMES));

const Details = z.strictObject({
  entrypoint: z.string().min(1).max(200),
  language: z
    .string()
    .default('wasmMessagePack')
    .transform((text) => text.toLowerCase())
    .pipe(z.enum(['wasm', 'wasmmessagepack'])),
  input_types: z.array(Name).max(ARGUMENTS_MAX),
  return_type: Name,
  data: z.base64().max((MODULE_BYTES_MAX * 4) / 3 + 4),
  volatility: z
    .string()
    .default('volatile')
    .transform((text) => text.toLowerCase())
    .pipe(z.enum(['immutable', 'stable', 'volatile'])),
});

export type FunctionTypeName = (typeof TYPE_NAMES)[number];

export interface FunctionDetails {
  /** The export that is called. */
  readonly entrypoint: string;
  /** `wasm` for plain numbers, `wasmmessagepack` for encoded values. */
  readonly language: 'wasm' | 'wasmmessagepack';
  readonly input_types: readonly FunctionTypeName[];
  readonly return_type: FunctionTypeName;
  /** The module in base64. */
  readonly data: string;
  readonly volatility: 'immutable' | 'stable' | 'volatile';
}

export interface FunctionDefinition {
  readonly name: string;
  readonly isReplace: boolean;
  readonly details: FunctionDetails;
}

export interface FunctionRemoval {
  readonly names: readonly string[];
  readonly isIfExists: boolean;
}

/** `CREATE [OR REPLACE] FUNCTION name AS '…'`; DuckDB's own has brackets after the name. */
export function maybeParseCreateFunction(tokens: readonly Token[]): FunctionDefinition | undefined {
  const cursor = new TokenCursor(tokens);
  if (!cursor.tryWords('create')) return undefined;
  const isReplace = cursor.tryWords('or', 'replace');
  if (!cursor.tryWords('function')) return undefined;
  const name = cursor.qualifiedName('the name of the function').at(-1)!;
  if (!cursor.tryWords('as')) {
    if (cursor.next?.value === '(') return undefined;
    throw cursor.unexpected('AS');
  }
  const text = cursor.string('the definition as JSON in quotes');
  cursor.end();
  return { name: name.toLowerCase(), isReplace, details: parseDetails(name, text) };
}

/** `DROP FUNCTION [IF EXISTS] a, b`. */
export function maybeParseDropFunction(tokens: readonly Token[]): FunctionRemoval | undefined {
  if (!isWord(tokens[0], 'drop') || !isWord(tokens[1], 'function')) return undefined;
  const cursor = new TokenCursor(tokens);
  cursor.words('drop', 'function');
  const isIfExists = cursor.tryWords('if', 'exists');
  const names: string[] = [];
  do {
    names.push(cursor.qualifiedName('the name of the function').at(-1)!.toLowerCase());
  } while (cursor.trySymbol(','));
  cursor.end();
  return { names, isIfExists };
}

/** What CREATE FUNCTION was given, also as it is read back from the lake. */
export function parseDetails(name: string, text: string): FunctionDetails {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(name, 'its definition is no JSON', cause);
  }
  const parsed = Details.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(name, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`);
}

function invalid(name: string, why: string, cause?: unknown): LakeError {
  return new LakeError('plan', 'LAKE_FUNCTION', `The function ${name} is malformed: ${why}`, {
    cause,
  });
}
