// What the command lines of benches and tools have in common.

import { Interrupted } from './interrupt.ts';

/** The value of `--name`. Throws RangeError unless it is a whole number from 1 on. */
export function parsePositive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(`Expected --${name} to be a number from 1 on: ${text}`);
}

/**
 * Runs the main function of a command. Of a mistake on the command line, and of an interruption,
 * the message says all there is to say: it is printed, and the exit code is 2.
 */
export async function runCommand(main: () => void | Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!isUsageError(error) && !(error instanceof Interrupted)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}

/** A value that cannot be, or an option that there is not (parseArgs() of node:util). */
function isUsageError(error: unknown): error is Error {
  if (error instanceof RangeError) return true;
  const code = error instanceof TypeError && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS');
}
