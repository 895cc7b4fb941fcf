// Errors of this package: a failed call to the operating system, with what was attempted on what.

/** A disk operation failed. `code` is the errno's name ("ENOSPC", "EIO"). */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly code: string;
  readonly op: string;
  readonly path: string;

  constructor(op: string, path: string, code: string, cause?: unknown) {
    super(`Cannot complete ${op} on ${path}: ${code}`, { cause });
    this.op = op;
    this.path = path;
    this.code = code;
  }
}

/**
 * The DiskError for what a call of Node's threw; whatever is no error of the system stays as it is.
 */
export function toDiskError(op: string, path: string, error: unknown): unknown {
  if (error instanceof DiskError) return error;
  const code = systemErrorCode(error);
  return code === undefined ? error : new DiskError(op, path, code, error);
}

/** The errno's name in an error that Node throws for a failed system call. */
export function systemErrorCode(error: unknown): string | undefined {
  const isSystemError = error instanceof Error && 'syscall' in error && 'code' in error;
  return isSystemError && typeof error.code === 'string' ? error.code : undefined;
}

/** A system call failed. `errno` is the positive error number, `code` its name. */
export class SyscallError extends Error {
  override readonly name = 'SyscallError';
  readonly call: string;
  readonly errno: number;
  readonly code: string;

  constructor(call: string, errno: number, code: string) {
    super(`System call ${call} failed: ${code}`);
    this.call = call;
    this.errno = errno;
    this.code = code;
  }
}
