// The one place where an error becomes an HTTP status.

import type { CodedError } from '@skein/bytes';
import { ClusterError, ReplicationError } from '@skein/cluster';
import { EngineError, type EngineErrorCode } from '@skein/engine';

import { ApiError, type ApiErrorCode, type ErrorBody } from './errors.ts';

export interface ErrorResponse {
  readonly status: number;
  readonly body: ErrorBody;
}

const API_STATUS: Readonly<Record<ApiErrorCode, number>> = {
  API_UNAUTHORIZED: 401,
  API_FORBIDDEN: 403,
  API_NOT_FOUND: 404,
  API_METHOD: 405,
  API_BAD_REQUEST: 400,
  API_TOO_LARGE: 413,
  API_BUSY: 503,
  API_INCOMPLETE: 400,
  API_UNREACHABLE: 503,
  API_LISTEN: 500,
  API_INTERNAL: 500,
};

const ENGINE_STATUS: Readonly<Record<EngineErrorCode, number>> = {
  CHECKPOINT_CORRUPT: 500,
  DATABASE_BROKEN: 503,
  DATABASE_CORRUPT: 500,
  DATABASE_IN_USE: 409,
  DATABASE_NAME: 400,
  DATABASE_NOT_FOUND: 404,
  DATA_DIRECTORY_FORMAT: 500,
  DATA_DIRECTORY_IN_USE: 500,
  EPOCH_TOO_LOW: 409,
  IMAGE_FORMAT: 422,
  IMAGE_PAGE_SIZE: 409,
  LOG_CORRUPT: 500,
  LOG_FAILED: 503,
  LOG_TRIMMED: 409,
  NODE_SUSPENDED: 503,
  OPERATION_NOT_SUPPORTED: 400,
  POSITION_MISMATCH: 409,
  RECEIVED_CORRUPT: 422,
  REPLICA_READ_ONLY: 409,
  SNAPSHOT_FAILED: 500,
  WAL_BEHIND_LOG: 500,
  WRITE_NOT_IN_LOG: 500,
  WRITE_WITHOUT_JOURNAL: 500,
};

/** Undefined for a bug: what that says is for the log, not for the caller. */
export function maybeErrorResponse(error: unknown): ErrorResponse | undefined {
  if (error instanceof ApiError) {
    return { status: API_STATUS[error.code as ApiErrorCode], body: bodyOf(error) };
  }
  if (error instanceof EngineError) {
    return { status: ENGINE_STATUS[error.code], body: bodyOf(error) };
  }
  // Peers that introduce themselves: those who do not know the secret, and those who say nonsense.
  if (error instanceof ReplicationError) return { status: 401, body: bodyOf(error) };
  if (error instanceof ClusterError) return { status: 400, body: bodyOf(error) };
  const code = maybeSystemCode(error);
  if (code === undefined) return undefined;
  const body = { code, message: (error as Error).message };
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return { status: 500, body };
  return { status: 507, body: { ...body, hint: 'Make space on the disk of the data folder' } };
}

/** Of a DiskError, or of what Node throws itself, also after a way between threads. */
function maybeSystemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code } = error;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

function bodyOf({ code, message, hint }: CodedError<string>): ErrorBody {
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}
