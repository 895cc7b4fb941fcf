// What the site and its command refuse before anything is done.

export type AdminErrorCode =
  /** An option of adminSite() cannot be. */
  | 'ADMIN_OPTIONS'
  /** A superuser cannot be created: its name, its password, or nobody to do it. */
  | 'ADMIN_SUPERUSER';

export interface AdminErrorOptions {
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code: AdminErrorCode;
  readonly hint: string | undefined;

  constructor(code: AdminErrorCode, message: string, options: AdminErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}
