// Errors of this package. Each has a stable code; docs/errors.md lists them.

import { CodedError, type CodedErrorOptions } from '@skein/bytes';
import { DiskError } from '@skein/host';

export type EngineErrorCode =
  | 'CHECKPOINT_CORRUPT'
  | 'DATABASE_BROKEN'
  | 'DATABASE_CORRUPT'
  | 'DATABASE_IN_USE'
  | 'DATABASE_NAME'
  | 'DATABASE_NOT_FOUND'
  | 'DATA_DIRECTORY_FORMAT'
  | 'DATA_DIRECTORY_IN_USE'
  | 'EPOCH_TOO_LOW'
  | 'IMAGE_FORMAT'
  | 'IMAGE_PAGE_SIZE'
  | 'LOG_CORRUPT'
  | 'LOG_FAILED'
  | 'LOG_TRIMMED'
  | 'NODE_SUSPENDED'
  | 'OPERATION_NOT_SUPPORTED'
  | 'SNAPSHOT_FAILED'
  | 'POSITION_MISMATCH'
  | 'RECEIVED_CORRUPT'
  | 'REPLICA_READ_ONLY'
  | 'WAL_BEHIND_LOG'
  | 'WRITE_NOT_IN_LOG'
  | 'WRITE_WITHOUT_JOURNAL';

/** Something the caller or the person who runs the node has to deal with. */
export class EngineError extends CodedError<EngineErrorCode> {
  override readonly name: string = 'EngineError';
}

/** Where in the data folder something is damaged. */
export interface DamagePlace {
  /** File, relative to the data folder. */
  readonly file: string;
  readonly database?: string;
  readonly txid?: bigint;
  readonly lsn?: number;
  readonly pgno?: number;
}

export const DAMAGE_HINT = 'See what can be repaired: skein check --deep';

/** What was written and reported as durable has changed since: a flipped bit, a lost block. */
export class DamageError extends EngineError {
  override readonly name = 'DamageError';
  readonly place: DamagePlace;

  constructor(
    code: 'DATABASE_CORRUPT' | 'LOG_CORRUPT' | 'CHECKPOINT_CORRUPT',
    message: string,
    place: DamagePlace,
    options: CodedErrorOptions = {},
  ) {
    super(code, message, options);
    this.place = place;
  }
}

/**
 * The log could not be written or synced. A failed sync is final: what the disk holds is unknown,
 * so nothing is accepted until the node is started again and has read the log.
 */
export class LogFailedError extends EngineError {
  override readonly name = 'LogFailedError';

  constructor(cause: DiskError) {
    super('LOG_FAILED', `Cannot write: the log failed earlier (${cause.message})`, {
      cause,
      hint: 'Check the disk, then restart the node: it recovers from the log',
    });
  }
}

/** Whether the disk is to blame: there is nothing to be done but to report it. */
export function isDiskFailure(error: unknown): error is DiskError | LogFailedError {
  return error instanceof DiskError || error instanceof LogFailedError;
}
