// A mistake on the command line: its message says all there is to say.

export function isUsageError(error: unknown): error is Error {
  if (error instanceof RangeError) return true;
  const code = error instanceof TypeError && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS');
}
