// The command that makes a superuser.

import type { AdminNode } from '../options.ts';

export interface CreateSuperuserOptions {
  /** Path of the database on the mount. */
  readonly database: string;
  /** Says whether this node is the primary; without it the database does. */
  readonly node?: AdminNode | undefined;
  /** Where the site is, as in the options of the site; default `/admin`. */
  readonly basePath?: string;
  /** Where the site of the primary is reached from a replica; default what the node says. */
  readonly primaryUrl?: string;
  /** Default: process.env. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly input?: NodeJS.ReadableStream;
  readonly output?: NodeJS.WritableStream;
}

/** Asks for what the environment does not say, creates, and says so. Throws ADMIN_SUPERUSER. */
export function createSuperuser(options: CreateSuperuserOptions): Promise<void> {
  return Promise.reject(new Error(options.database));
}
