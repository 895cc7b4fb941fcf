// What keeps a proxy from starting. What it answers to clients is in answers.ts.

export type ProxyErrorCode =
  /** The address cannot be listened on. */
  | 'PROXY_LISTEN'
  /** A pattern of paths is malformed. */
  | 'PROXY_PATTERN';

export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code: ProxyErrorCode;
  readonly hint: string | undefined;

  constructor(
    code: ProxyErrorCode,
    message: string,
    options: { readonly hint?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}
