// Assertions: for what only a bug can break. They stay on in production, so keep them cheap: the
// message is a constant, and there is no work in the condition that the code would not do anyway.

/**
 * A bug was found. Nobody catches this to go on: the process ends and its supervisor restarts it.
 */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
  readonly code = 'ASSERTION_FAILED';
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
