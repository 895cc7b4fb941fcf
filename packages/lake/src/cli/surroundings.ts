// The world around a command: the process, or what a test has in its place.

import type { Readable, Writable } from 'node:stream';

import type { ConfineOptions } from '../confine-lake.ts';
import type { Environment } from '../config/environment-source.ts';

export interface Surroundings {
  readonly cwd: string;
  readonly environment: Environment;
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable;
  /** Resolves when somebody wants the command to end. */
  readonly stopped: () => Promise<void>;
  /** Of a process that can be confined and is not yet. */
  readonly confine?: ((options: ConfineOptions) => Promise<void>) | undefined;
}
