// What a site is made of, checked once: a wrong option is named with what it may be.

import type { NodeView } from '@skein/client';

import { SCRYPT_PARAMETERS, type ScryptParameters } from './auth/password.ts';
import type { SqliteHandle } from './database/handle.ts';
import { AdminError } from './errors.ts';

/** What the site asks of the node that it runs on. */
export type AdminNode = Pick<NodeView, 'state' | 'isPrimary'>;

export interface AdminOptions {
  /**
   * The database: its path, on the mount of the node; or an open handle, as better-sqlite3 and
   * `openDatabase()` of @skein/client give. A path is the better choice: each request has a
   * connection of its own, whatever happened to the node before.
   */
  readonly database: string | SqliteHandle;
  /** The node, to show its role and to know who writes. Without it the database itself says. */
  readonly node?: AdminNode | undefined;
  /** Where the site is; default `/admin`. */
  readonly basePath?: string;
  /** Shown on all pages; default the name of the database. */
  readonly title?: string;
  /** A link to what is administrated. */
  readonly siteUrl?: string;
  /** Tables that are not shown. */
  readonly hiddenTables?: readonly string[];
  /** Tables that are shown and cannot be changed. */
  readonly readOnlyTables?: readonly string[];
  /**
   * From where forms may be sent, as `https://admin.example.com`, where a balancer in front
   * changes the Host of requests; the host that was asked is always among them.
   */
  readonly origins?: readonly string[];
  /**
   * Whose X-Forwarded-For is believed, where logins are counted by address: `private`, the default,
   * is loopback and private networks, where the proxies of the nodes are.
   */
  readonly trustForwarded?: 'private' | 'all' | 'none';
  /** Of a request, files included; default 8 MiB. */
  readonly maxBodyBytes?: number;
  /** What a password costs to check; hashes of other parameters are replaced at the next login. */
  readonly scrypt?: ScryptParameters;
  /** Milliseconds since the epoch; default the clock of SQLite. */
  readonly now?: () => number;
  /** Learns of what failed in a way that no user can help. */
  readonly onError?: (error: unknown) => void;
}

export interface ResolvedOptions extends AdminOptions {
  /** Without a slash at its end; empty for a site at the root. */
  readonly basePath: string;
  readonly title: string;
  readonly hiddenTables: readonly string[];
  readonly readOnlyTables: readonly string[];
  readonly origins: readonly string[];
  readonly trustForwarded: 'private' | 'all' | 'none';
  readonly maxBodyBytes: number;
  readonly scrypt: ScryptParameters;
}

/** A form is held in memory as a whole, and with it what is written. */
const BODY_BYTES = 8 * 1024 * 1024;
const BASE_PATH = /^(?:\/[A-Za-z0-9._~-]+)*$/;

/** Throws ADMIN_OPTIONS. */
export function resolveOptions(options: AdminOptions): ResolvedOptions {
  const basePath = (options.basePath ?? '/admin').replace(/\/+$/, '');
  if (!BASE_PATH.test(basePath) || /\/\.{1,2}(?:\/|$)/.test(basePath)) {
    throw new AdminError('ADMIN_OPTIONS', `Cannot serve the site at "${options.basePath}"`, {
      hint: 'basePath is a path as /admin, of letters, digits, dots and dashes',
    });
  }
  const origins = (options.origins ?? []).map(checkOrigin);
  return {
    ...options,
    basePath,
    title: options.title ?? nameOf(options.database),
    hiddenTables: options.hiddenTables ?? [],
    readOnlyTables: options.readOnlyTables ?? [],
    origins,
    trustForwarded: options.trustForwarded ?? 'private',
    maxBodyBytes: options.maxBodyBytes ?? BODY_BYTES,
    scrypt: options.scrypt ?? SCRYPT_PARAMETERS,
  };
}

function checkOrigin(origin: string): string {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  throw new AdminError('ADMIN_OPTIONS', `Cannot accept forms from "${origin}"`, {
    hint: 'An origin is a scheme, a host and maybe a port: https://admin.example.com',
  });
}

function nameOf(database: string | SqliteHandle): string {
  if (typeof database !== 'string') return 'Database';
  return database.slice(database.lastIndexOf('/') + 1);
}
