// What all requests of a site share, and what is known of one request before its page is made.

import { maybeSession, type Session } from '../auth/sessions.ts';
import { formToken } from '../auth/forms.ts';
import { PasswordChecks } from '../auth/password-checks.ts';
import { Connections, type SqliteHandle, selectOne } from '../database/handle.ts';
import { type Schema, SchemaCache, type Table } from '../database/schema.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Actor } from '../store/history.ts';
import { readKey } from '../store/own-tables.ts';
import { Addresses } from './addresses.ts';
import { Assets } from './assets.ts';
import { clientAddress } from './client-address.ts';
import { maybeCookie, THEME_COOKIE } from './cookies.ts';
import { type Flash, parseFlash } from './flash.ts';
import { type NodeSummary, summarizeNode } from './node-summary.ts';

export class SiteContext {
  readonly options: ResolvedOptions;
  readonly addresses: Addresses;
  readonly connections: Connections;
  readonly assets: Assets = new Assets();
  readonly passwords: PasswordChecks;
  readonly #schemas = new SchemaCache();

  constructor(options: ResolvedOptions) {
    this.options = options;
    this.addresses = new Addresses(options.basePath);
    this.connections = new Connections(options.database);
    this.passwords = new PasswordChecks(options.scrypt);
  }

  nowMs(database: SqliteHandle): number {
    if (this.options.now !== undefined) return this.options.now();
    const row = selectOne(database, "SELECT unixepoch('subsec') * 1000 AS now");
    return Math.floor(Number(row!['now']));
  }

  schema(database: SqliteHandle): Schema {
    return this.#schemas.read(database);
  }

  /** The tables that are shown. */
  shownTables(schema: Schema): readonly Table[] {
    return [...schema.values()].filter(({ name }) => !this.options.hiddenTables.includes(name));
  }

  /** Undefined where rows cannot be changed here. */
  writable(table: Table): Table | undefined {
    const isFixed = this.options.readOnlyTables.includes(table.name);
    return isFixed || table.identity === undefined ? undefined : table;
  }
}

/** One request, whoever sent it. */
export interface Visit {
  readonly site: SiteContext;
  readonly request: Request;
  readonly url: URL;
  /** Of the client, behind all proxies that are believed; undefined where nobody says it. */
  readonly address: string | undefined;
  /** Whether the browser came over TLS. */
  readonly isSecure: boolean;
  readonly node: NodeSummary | undefined;
  readonly theme: 'dark' | 'light' | undefined;
}

/** A request of somebody who is logged in, while a transaction is open. */
export interface Member extends Visit {
  readonly database: SqliteHandle;
  readonly schema: Schema;
  readonly key: Buffer;
  readonly nowMs: number;
  readonly session: Session;
  /** Of all forms of the session. */
  readonly token: string;
  /** What the request before this one has done. */
  readonly flash: Flash | undefined;
}

export function createVisit(
  site: SiteContext,
  request: Request,
  connectionAddress: string | undefined,
): Visit {
  const url = new URL(request.url);
  const { headers } = request;
  const { options } = site;
  const theme = maybeCookie(headers, THEME_COOKIE);
  return {
    site,
    request,
    url,
    address: clientAddress(
      connectionAddress,
      headers.get('x-forwarded-for'),
      options.trustForwarded,
    ),
    // Whoever lies about it gets cookies that his own browser does not send back.
    isSecure: url.protocol === 'https:' || headers.get('x-forwarded-proto') === 'https',
    node: options.node && summarizeNode(options.node, options.database),
    theme: theme === 'dark' || theme === 'light' ? theme : undefined,
  };
}

/** Undefined for whoever is not logged in. The tables of the site are there. */
export function maybeMember(visit: Visit, database: SqliteHandle): Member | undefined {
  const { site, request } = visit;
  const key = readKey(database);
  const nowMs = site.nowMs(database);
  const cookie = maybeCookie(request.headers, 'skein_admin_session');
  const session = maybeSession(database, key, { cookie, nowMs });
  if (session === undefined) return undefined;
  return {
    ...visit,
    database,
    schema: site.schema(database),
    key,
    nowMs,
    session,
    token: formToken(key, session.id),
    flash: parseFlash(key, maybeCookie(request.headers, 'skein_admin_flash')),
  };
}

/** Who is written into the history. */
export function actorOf(member: Member): Actor {
  return {
    user: member.session.user.username,
    node: member.node?.name ?? '',
    nowMs: member.nowMs,
  };
}
