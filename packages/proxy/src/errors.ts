// What keeps a proxy from starting. What it answers to clients is in answers.ts.

import { CodedError } from '@skein/bytes';

export type ProxyErrorCode =
  /** The address cannot be listened on. */
  | 'PROXY_LISTEN'
  /** A pattern of paths is malformed. */
  | 'PROXY_PATTERN';

export class ProxyError extends CodedError<ProxyErrorCode> {
  override readonly name = 'ProxyError';
}
