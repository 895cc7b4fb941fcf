// What every command gets: the world around the process, and the exit code to set.

import type { Writable } from 'node:stream';

import type { Environment } from '../config/expand-environment.ts';
import type { Interrupts } from './interrupts.ts';

export interface CommandContext {
  readonly cwd: string;
  readonly environment: Environment;
  readonly isRoot: boolean;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly interrupts: Interrupts;
  /** What stands behind `--` on the command line. */
  readonly trailing: readonly string[];
  /** For a command that worked and has bad news; undefined: 0. */
  exitCode: number;
}
