// The section `sql` of skein.yml: SQL over HTTP, as one source says it, and what becomes of it.

import type { z } from 'zod';

import { READ_CLUSTER } from './cluster-section.ts';
import type { Finished } from './cluster-draft.ts';
import type { ProxyConfig } from './cluster-config.ts';
import { anything, keysAndValues, scalar } from './shape.ts';
import {
  type Address,
  durationUpTo,
  isLoopback,
  parseAddress,
  parseSecret,
  parseText,
  wholeNumber,
} from './values.ts';

/** With nothing left open. Plain data: it goes to another process. */
export interface SqlConfig {
  readonly address: Address;
  /** Where other nodes find it; undefined: by this node's name, and its port. */
  readonly advertiseUrl: string | undefined;
  /** What callers have to show, and nodes each other; undefined: nothing, on this machine. */
  readonly token: string | undefined;
  /** The database of requests that name none. */
  readonly database: string | undefined;
  /** Those that are served; undefined: all. */
  readonly databases: readonly string[] | undefined;
  readonly workers: number;
  readonly statementMs: number;
  readonly streamIdleMs: number;
  readonly waitMs: number;
  readonly primaryWaitMs: number;
}

/** What is missing is not said. */
export interface SqlDraft {
  readonly address?: Address | undefined;
  readonly advertiseUrl?: string | undefined;
  readonly token?: string | undefined;
  /** Where the token stands, instead. */
  readonly tokenFile?: string | undefined;
  readonly database?: string | undefined;
  readonly databases?: readonly string[] | undefined;
  readonly workers?: number | undefined;
  readonly statementMs?: number | undefined;
  readonly streamIdleMs?: number | undefined;
  readonly waitMs?: number | undefined;
  readonly primaryWaitMs?: number | undefined;
}

/** As the server has them by itself. */
const WORKERS = 4;
const STATEMENT_MS = 30_000;
const STREAM_IDLE_MS = 10_000;
const WAIT_MS = 1_000;
const PRIMARY_WAIT_MS = 5_000;

const SQL = keysAndValues({
  address: scalar(parseAddress),
  'advertise-url': scalar(READ_CLUSTER.url),
  token: scalar(parseSecret),
  'token-file': scalar(parseText),
  database: scalar(parseText),
  databases: anything(READ_CLUSTER.texts),
  workers: scalar(wholeNumber(1, 64)),
  'statement-time': scalar(durationUpTo('1d')),
  'stream-idle': scalar(durationUpTo('1h')),
  wait: scalar(READ_CLUSTER.wait),
  'primary-wait': scalar(READ_CLUSTER.wait),
});

export const SQL_SECTION: z.ZodOptional<z.ZodType<SqlDraft>> = SQL.transform(draftOf).optional();

function draftOf(sql: z.infer<typeof SQL>): SqlDraft {
  return {
    address: sql.address,
    advertiseUrl: sql['advertise-url'],
    token: sql.token,
    tokenFile: sql['token-file'],
    database: sql.database,
    databases: sql.databases,
    workers: sql.workers,
    statementMs: sql['statement-time'],
    streamIdleMs: sql['stream-idle'],
    waitMs: sql.wait,
    primaryWaitMs: sql['primary-wait'],
  };
}

/** None where no address is said. What the proxy's clients use is the default database here too. */
export function finishSql(
  draft: SqlDraft | undefined,
  proxy: ProxyConfig | undefined,
): Finished<SqlConfig> {
  const { token, tokenFile: _, ...rest } = draft ?? {};
  const { address } = rest;
  // A token alone is for a program that shares its environment with the node.
  if (Object.values(rest).every((value) => value === undefined))
    return { config: undefined, problems: [] };
  if (address === undefined) {
    return refuse('sql.address', 'where does the SQL server listen? Say it like 127.0.0.1:8090');
  }
  if (token === undefined && !isLoopback(address.host)) {
    const where = address.host === '' ? 'all interfaces' : address.host;
    const cure = 'set sql.token or sql.token-file (SKEIN_SQL_TOKEN, SKEIN_SQL_TOKEN_FILE)';
    return refuse('sql', `on ${where} anybody could read and change the databases: ${cure}`);
  }
  return {
    problems: [],
    config: {
      address,
      advertiseUrl: draft?.advertiseUrl,
      token,
      database: draft?.database ?? proxy?.database,
      databases: draft?.databases,
      workers: draft?.workers ?? WORKERS,
      statementMs: draft?.statementMs ?? STATEMENT_MS,
      streamIdleMs: draft?.streamIdleMs ?? STREAM_IDLE_MS,
      waitMs: draft?.waitMs ?? WAIT_MS,
      primaryWaitMs: draft?.primaryWaitMs ?? PRIMARY_WAIT_MS,
    },
  };
}

function refuse(key: string, message: string): Finished<never> {
  return { config: undefined, problems: [{ source: 'configuration', key, message }] };
}
