// What the HTTP side of the lake refuses by itself; the rest comes from the engine (LakeError).
//
// Clients of Seafowl compare texts: the message is the whole body of the answer, as they know it.

export type LakeHttpErrorCode =
  /** The request is malformed: no query, no JSON, a wrong hash, a form without a file. */
  | 'LAKE_REQUEST'
  /** The token is missing, wrong or useless, or does not give this right. */
  | 'LAKE_ACCESS'
  /** There is nothing at that path. */
  | 'LAKE_NOT_FOUND'
  /** There is, but not for this method. */
  | 'LAKE_METHOD'
  /** The query or the upload is larger than may be. */
  | 'LAKE_TOO_LARGE'
  /** As many requests as may be are waiting already. */
  | 'LAKE_QUEUE_FULL'
  /** The client sends nothing any more, or reads nothing. */
  | 'LAKE_STALLED'
  /** Something failed that the client can do nothing about; the log says more. */
  | 'LAKE_INTERNAL'
  /** The lake that is to be asked does not answer. */
  | 'LAKE_UNREACHABLE'
  /** The address cannot be listened on. */
  | 'LAKE_LISTEN';

export class LakeHttpError extends Error {
  override readonly name = 'LakeHttpError';
  readonly code: LakeHttpErrorCode;
  readonly status: number;

  constructor(
    status: number,
    code: LakeHttpErrorCode,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.status = status;
    this.code = code;
  }
}

export function badRequest(message: string): LakeHttpError {
  return new LakeHttpError(400, 'LAKE_REQUEST', message);
}
