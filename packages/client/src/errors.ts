// What the client refuses, and what it cannot know. Each error says what became of the work that
// was asked for, so that a caller knows whether it may try again:
//
//   not-executed   nothing was changed: it may be sent elsewhere, or later
//   failed         SQLite executed it and refused: trying again gives the same
//   unknown        it may have been committed: look before trying again

export type SkeinErrorCode =
  /** A write on a node that follows a primary. */
  | 'NOT_PRIMARY'
  /** A write while nobody is known to be primary. */
  | 'NO_PRIMARY'
  /** A write while it is not clear who may write. */
  | 'FENCED'
  /** A commit whose answer was lost. */
  | 'OUTCOME_UNKNOWN'
  /** Settings that cannot be. */
  | 'SETTINGS_INVALID'
  /** A database that is not on this replica yet. */
  | 'DATABASE_MISSING'
  /** A position was not reached in time. */
  | 'POSITION_TIMEOUT'
  /** The node, or the view of it, is closed. */
  | 'NODE_CLOSED'
  /** The daemon of this node was not reached in time. */
  | 'NODE_UNREACHABLE'
  /** Nothing can be opened with: the driver is not installed. */
  | 'DRIVER_MISSING'
  /** A use of a database that its driver or its state does not allow. */
  | 'DATABASE_MISUSE';

export type Outcome = 'not-executed' | 'failed' | 'unknown';

export interface SkeinErrorOptions {
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  readonly outcome?: Outcome;
}

/** Errors of others. */
interface Wrapper {
  readonly cause?: unknown;
  readonly meta?: { readonly driverAdapterError?: unknown } | undefined;
}

/** Causes can be a circle. */
const CAUSE_DEPTH_MAX = 8;

/** Known across copies of this package, where `instanceof` is not. */
const BRAND = Symbol.for('@skein/client/error');

/** The base of all errors of this package: `code` never changes, `hint` says what helps. */
export class SkeinError extends Error {
  override readonly name: string = 'SkeinError';
  readonly code: SkeinErrorCode;
  readonly hint: string | undefined;
  /** What became of the work. */
  readonly outcome: Outcome;

  constructor(code: SkeinErrorCode, message: string, options: SkeinErrorOptions = {}) {
    super(message, { cause: options.cause });
    Object.defineProperty(this, BRAND, { value: true });
    this.code = code;
    this.hint = options.hint;
    this.outcome = options.outcome ?? 'not-executed';
  }
}

/** Who leads: its name, and where its API and its proxy are, as far as that is known. */
export interface PrimaryAddress {
  readonly name: string;
  /** Where its node API is. */
  readonly url?: string;
  /** Where its proxy is, which takes the requests of an application. */
  readonly proxyUrl?: string;
  /** Where it serves SQL over HTTP. */
  readonly sqlUrl?: string;
}

/** The text that the HTTP answers of the framework plugins begin with too. */
export const NOT_PRIMARY_MESSAGE = 'Write operation attempted on replica node';

/** A write was asked of a replica. Nothing was executed: `primary` is where it can be. */
export class NotPrimaryError extends SkeinError {
  override readonly name = 'NotPrimaryError';
  /** Undefined where the node has just learned that it does not lead. */
  readonly primary: PrimaryAddress | undefined;

  constructor(primary: PrimaryAddress | undefined, cause?: unknown) {
    super('NOT_PRIMARY', describe(primary), {
      cause,
      hint: 'Send it to the primary, or through the proxy of this node, which does',
    });
    this.primary = primary;
  }
}

/** A write was asked of a node that knows of no primary. Nothing was executed. */
export class NoPrimaryError extends SkeinError {
  override readonly name = 'NoPrimaryError';

  constructor(cause?: unknown) {
    super('NO_PRIMARY', 'Write operation attempted while no primary is known', {
      cause,
      hint: 'Try again when there is one: skein status says what this node sees',
    });
  }
}

/** A write was asked of a node where nobody may write now. Nothing was executed. */
export class FencedError extends SkeinError {
  override readonly name = 'FencedError';

  constructor(cause?: unknown) {
    super('FENCED', 'Write operation attempted on a fenced node', {
      cause,
      hint: 'It is not clear who may write: skein status says why',
    });
  }
}

/** A commit was asked for, and its answer was lost: it is there as a whole, or not at all. */
export class OutcomeUnknownError extends SkeinError {
  override readonly name = 'OutcomeUnknownError';

  constructor(cause: unknown) {
    super('OUTCOME_UNKNOWN', 'The outcome of the commit is unknown', {
      cause,
      outcome: 'unknown',
      hint: 'Look whether it is there before trying again',
    });
  }
}

/** Whether an error is of this package, from whichever copy of it. */
export function isSkeinError(error: unknown): error is SkeinError {
  return typeof error === 'object' && error !== null && BRAND in error;
}

/**
 * The error of this package that an ORM has put into its own, if there is one: as the cause, or
 * where Prisma puts it.
 */
export function findSkeinError(error: unknown): SkeinError | undefined {
  let current = error;
  for (let depth = 0; depth < CAUSE_DEPTH_MAX; depth += 1) {
    if (isSkeinError(current)) return current;
    if (typeof current !== 'object' || current === null) return undefined;
    const { cause, meta } = current as Wrapper;
    current = cause ?? meta?.driverAdapterError;
  }
  return undefined;
}

/** What became of a call that threw `error`; ORMs may have wrapped it. */
export function outcomeOf(error: unknown): Outcome {
  return findSkeinError(error)?.outcome ?? 'failed';
}

function describe(primary: PrimaryAddress | undefined): string {
  if (primary === undefined) return NOT_PRIMARY_MESSAGE;
  const where = primary.proxyUrl ?? primary.url;
  const at = where === undefined ? '' : ` at ${where}`;
  return `${NOT_PRIMARY_MESSAGE} (primary: ${primary.name}${at})`;
}
