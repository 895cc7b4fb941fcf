// Errors that commands find by themselves.

import { CodedError } from '@skein/bytes';

/** The command line asks for something that cannot be: exit code 2. */
export class UsageError extends CodedError<'USAGE'> {
  override readonly name = 'UsageError';

  constructor(message: string, hint?: string) {
    super('USAGE', message, { hint });
  }
}

/** The files that a command is about are not as they have to be: exit code 1. */
export class FileError extends CodedError<'FILE'> {
  override readonly name = 'FileError';

  constructor(message: string, hint?: string) {
    super('FILE', message, { hint });
  }
}
