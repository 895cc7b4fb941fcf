// Programs that run to their end in another process, as people run them in a shell.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

/** More than the sum of what one takes on a slow machine; a hung mount ends by its watchdog. */
const TIMEOUT_MS = 180_000;

export interface Outcome {
  /** Undefined when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program; how it ends is the caller's business. */
export function run(program: string, args: readonly string[], input = ''): Outcome {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    input,
    timeout: TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  return { code: status, stdout, stderr };
}

/** Runs a program that must succeed; what it printed. */
export function runWell(program: string, args: readonly string[], input = ''): string {
  const { code, stdout, stderr } = run(program, args, input);
  assert.equal(code, 0, `${program} ${args.join(' ')}: ${stderr}`);
  return stdout.trimEnd();
}

/** Runs a program that must fail; what it said. */
export function runBadly(program: string, args: readonly string[], input = ''): string {
  const { code, stderr } = run(program, args, input);
  assert.notEqual(code, 0, `${program} ${args.join(' ')} succeeds`);
  return stderr;
}
