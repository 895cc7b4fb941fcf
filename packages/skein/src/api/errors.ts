// What the API refuses by itself; the rest comes from the engine.

import { CodedError, type CodedErrorOptions } from '@skein/bytes';

export type ApiErrorCode =
  /** The secret is missing or wrong. */
  | 'API_UNAUTHORIZED'
  /** The request comes from a web page, or asks for a host that we are not. */
  | 'API_FORBIDDEN'
  /** There is nothing at that path. */
  | 'API_NOT_FOUND'
  /** There is, but not for this method. */
  | 'API_METHOD'
  /** The request is malformed. */
  | 'API_BAD_REQUEST'
  /** The upload is larger than may be, or than there is space. */
  | 'API_TOO_LARGE'
  /** As many transfers as may be are under way. */
  | 'API_BUSY'
  /** The connection broke, or stood still for too long. */
  | 'API_INCOMPLETE'
  /** The node does not answer. */
  | 'API_UNREACHABLE'
  /** The address cannot be listened on. */
  | 'API_LISTEN'
  /** Something failed in the node that the caller can do nothing about; its log says more. */
  | 'API_INTERNAL';

/** `code` is an ApiErrorCode; on the client's side also one that a node passes on. */
export class ApiError extends CodedError<string> {
  override readonly name = 'ApiError';

  constructor(code: ApiErrorCode, message: string, options: CodedErrorOptions = {}) {
    super(code, message, options);
  }

  /** An error as a node told it. */
  static received({ code, message, hint }: ErrorBody): ApiError {
    return new ApiError(code as ApiErrorCode, message, { hint });
  }
}

/** An error as it goes over HTTP. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}
