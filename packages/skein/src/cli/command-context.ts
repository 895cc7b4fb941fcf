// What every command gets: the world around it, what was said, and the exit code to set.

import type { Readable, Writable } from 'node:stream';

import type { Environment } from '../config/expand-environment.ts';
import type { Interrupts } from './interrupts.ts';

/** The process, or what a test has in its place. */
export interface Surroundings {
  readonly cwd: string;
  readonly environment: Environment;
  readonly isRoot: boolean;
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly interrupts: Interrupts;
}

export interface CommandContext extends Surroundings {
  /** What stands behind `--` on the command line. */
  readonly trailing: readonly string[];
  /** For a command that worked and has bad news; undefined: 0. */
  exitCode: number;
}
