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

/**
 * As runCommand(), for what a user starts: says what it knows with --help, and of any error the
 * message alone, unless SKEIN_DEBUG asks where it comes from.
 */
export async function runProgram(help: string, main: () => Promise<void>): Promise<void> {
  const { argv, env, stdout, stderr } = process;
  if (argv.slice(2).some((word) => word === '--help' || word === '-h')) {
    stdout.write(help);
    return;
  }
  await runCommand(async () => {
    try {
      await main();
    } catch (error) {
      const isTold = isUsageError(error) || error instanceof Interrupted;
      if (isTold || (env['SKEIN_DEBUG'] ?? '') !== '') throw error;
      stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  });
}

/** A value that cannot be, or an option that there is not (parseArgs() of node:util). */
function isUsageError(error: unknown): error is Error {
  if (error instanceof RangeError) return true;
  const code = error instanceof TypeError && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS');
}
