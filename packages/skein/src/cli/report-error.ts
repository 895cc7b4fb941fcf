// What an error looks like on the terminal, and which exit code it gives.
//
//   skein: Cannot store app.db: it is no whole SQLite database (…)
//     Copy the file again, or export a database with VACUUM INTO
//
// Exit codes: 0 it worked, 1 it failed, 2 the command line or the configuration is wrong.

import { inspect } from 'node:util';

import { CommanderError } from 'commander';

import { ConfigError } from '../config/errors.ts';
import { UsageError } from './errors.ts';

export const EXIT_CODE = { ok: 0, failed: 1, usage: 2 } as const;

export interface ErrorReport {
  readonly exitCode: number;
  /** Lines for stderr; empty when everything has been said. */
  readonly text: string;
}

export function reportError(error: unknown, isDebugging: boolean): ErrorReport {
  if (error instanceof CommanderError) {
    // Commander has printed its message, or the help that was asked for.
    return { exitCode: error.exitCode === 0 ? EXIT_CODE.ok : EXIT_CODE.usage, text: '' };
  }
  const isUsage = error instanceof UsageError || error instanceof ConfigError;
  const exitCode = isUsage ? EXIT_CODE.usage : EXIT_CODE.failed;
  if (isDebugging) return { exitCode, text: `skein: ${inspect(error)}\n` };
  const [first = '', ...rest] = messageOf(error).split('\n');
  const hint = hintOf(error);
  const lines = [`skein: ${first}`, ...rest, ...(hint === undefined ? [] : [`  ${hint}`])];
  return { exitCode, text: `${lines.join('\n')}\n` };
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return `something was thrown: ${inspect(error)}`;
  return isExpected(error) ? error.message : `${error.name}: ${error.message}`;
}

function hintOf(error: unknown): string | undefined {
  if (error instanceof Error && 'hint' in error && typeof error.hint === 'string') {
    return error.hint;
  }
  return isExpected(error) ? undefined : 'This is a bug in skein; SKEIN_DEBUG=1 shows where';
}

/** Our own errors, and those of system calls, have a code; Node's own begin with ERR_. */
function isExpected(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const { code } = error;
  return typeof code === 'string' && !/^(?:ERR_|ASSERTION)/.test(code);
}
