// The shape of the errors that a caller, or whoever runs the node, has to deal with. What only a
// bug can break is an assertion.

export interface CodedErrorOptions {
  /** What helps, for people. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** `code` is stable; the message is for people. Each package has its own codes. */
export abstract class CodedError<Code extends string> extends Error {
  readonly code: Code;
  readonly hint: string | undefined;

  constructor(code: Code, message: string, { hint, cause }: CodedErrorOptions = {}) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
  }
}
