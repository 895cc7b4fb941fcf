// What keeps the engine from doing what a client asked, or from starting at all.
//
// The kind is for whoever answers the client: it decides the status. The code is stable and says
// which of them it is; docs/errors.md explains each.

/** What went wrong, as far as a status depends on it. */
export type LakeErrorKind =
  /** The text is no statement that any of the parsers knows. */
  | 'parse'
  /** It names what does not exist, or does not fit together. */
  | 'plan'
  /** It failed while it ran: a cast, an overflow, a full memory. */
  | 'execution'
  /** Not for clients: files, settings, other databases. */
  | 'forbidden'
  /** It writes, and this node or this request may only read. */
  | 'read-only'
  /** Too much is waiting already. */
  | 'busy'
  | 'timeout'
  | 'cancelled'
  /** The catalog, the data or the engine itself cannot be used now. */
  | 'unavailable';

export type LakeErrorCode =
  /** The text cannot be parsed. */
  | 'LAKE_PARSE'
  /** The statement names what does not exist, or does not fit together. */
  | 'LAKE_PLAN'
  /** The statement failed while it ran. */
  | 'LAKE_EXECUTION'
  /** The statement, or something in it, is not allowed to clients. */
  | 'LAKE_FORBIDDEN'
  /** A write on a reader, or by a request that may only read. */
  | 'LAKE_READ_ONLY'
  /** Too many requests are waiting. */
  | 'LAKE_BUSY'
  /** The request took longer than it may. */
  | 'LAKE_TIMEOUT'
  /** The client went away, or the engine is closing. */
  | 'LAKE_CANCELLED'
  /** The catalog does not exist yet, or cannot be opened. */
  | 'LAKE_CATALOG'
  /** This node does not have the position in time. */
  | 'POSITION_TIMEOUT'
  /** What was given as a position is none. */
  | 'LAKE_POSITION'
  /** A place that an external table names may not be read. */
  | 'LAKE_LOCATION'
  /** What an external table names could not be fetched. */
  | 'LAKE_FETCH'
  /** A WASM function is malformed, or does not do what it says. */
  | 'LAKE_FUNCTION'
  /** The process could not be confined to its folders. */
  | 'LAKE_CONFINE';

export interface LakeErrorOptions {
  /** Which statement of the request, from 0. */
  readonly statementIndex?: number | undefined;
  readonly cause?: unknown;
}

export class LakeError extends Error {
  override readonly name = 'LakeError';
  readonly kind: LakeErrorKind;
  readonly code: LakeErrorCode;
  readonly statementIndex: number | undefined;

  constructor(
    kind: LakeErrorKind,
    code: LakeErrorCode,
    message: string,
    options: LakeErrorOptions = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.code = code;
    this.statementIndex = options.statementIndex;
  }
}
