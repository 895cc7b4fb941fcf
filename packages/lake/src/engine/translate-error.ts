// DuckDB's errors, which are texts with a class in front, as LakeErrors.
//
// Folders of this machine do not leave it: a message that names one has it replaced.

import { LakeError, type LakeErrorCode, type LakeErrorKind } from './errors.ts';

const CLASSES: readonly (readonly [RegExp, LakeErrorKind, LakeErrorCode])[] = [
  [/^Parser Error/, 'parse', 'LAKE_PARSE'],
  [/^(?:Syntax) Error/, 'parse', 'LAKE_PARSE'],
  [/^(?:Binder|Catalog|Not implemented|Dependency) Error/, 'plan', 'LAKE_PLAN'],
  [/^Permission Error/, 'forbidden', 'LAKE_FORBIDDEN'],
  [/^INTERRUPT Error/, 'cancelled', 'LAKE_CANCELLED'],
  [/^TransactionContext Error:[^]*(?:disk is full|disk I\/O error)/, 'unavailable', 'LAKE_CATALOG'],
  [/database is locked/, 'unavailable', 'LAKE_CATALOG'],
  [/^(?:IO|HTTP|Connection) Error/, 'unavailable', 'LAKE_CATALOG'],
];
const PREFIX = /^(?:Failed to \w+ statements?: ?|Failed to execute prepared statement: ?)/;

/** A page of advice on options of read_csv(), which no client can give. */
const MISFIT = /^Invalid Input Error: Error when sniffing file[^]*/;
const MISFIT_TOLD =
  'Invalid Input Error: This is no CSV file as it was described: it has to be UTF-8, with the ' +
  'same number of fields in each row, and one kind of line break';

/** What DuckDB adds to its own bugs: addresses and folders of this machine. */
const STACK = /\n+Stack Trace:/;

export interface TranslateOptions {
  /** Folders whose names are replaced in messages. */
  readonly privatePaths: readonly string[];
}

export function translateError(error: unknown, options: TranslateOptions): LakeError {
  if (error instanceof LakeError) return error;
  const text = (error instanceof Error ? error.message : String(error))
    .replace(PREFIX, '')
    .split(STACK)[0]!
    .replace(MISFIT, MISFIT_TOLD)
    .trim();
  const [, kind, code] = CLASSES.find(([pattern]) => pattern.test(text)) ?? [
    undefined,
    'execution' as const,
    'LAKE_EXECUTION' as const,
  ];
  let message = text;
  for (const path of options.privatePaths) message = message.replaceAll(path, '…/');
  return new LakeError(kind, code, message, { cause: error });
}
