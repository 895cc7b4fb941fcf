// The shape of the errors of decoders: what was found where. Each format has its own codes.

export interface FormatErrorDetails {
  /** Bytes from the beginning of what was decoded to the place where it went wrong. */
  readonly offset: number;
  readonly expected?: number | bigint | string;
  readonly actual?: number | bigint | string;
  readonly cause?: unknown;
}

/** Input that cannot be decoded. Never thrown for a mistake of the caller: that is an assertion. */
export abstract class FormatError<Code extends string> extends Error {
  readonly code: Code;
  readonly offset: number;
  readonly expected: number | bigint | string | undefined;
  readonly actual: number | bigint | string | undefined;

  constructor(code: Code, message: string, details: FormatErrorDetails) {
    super(`${message} (offset ${details.offset})`, { cause: details.cause });
    this.code = code;
    this.offset = details.offset;
    this.expected = details.expected;
    this.actual = details.actual;
  }
}
