// Drizzle on a database of the node: what drizzle() of drizzle-orm/better-sqlite3 makes, without
// better-sqlite3 where another driver is used. Transactions begin as the database says, where
// Drizzle's own begin DEFERRED and fail half-way when two of them read and then write.

import {
  createTableRelationsHelpers,
  DefaultLogger,
  type DrizzleConfig,
  extractTablesRelationalConfig,
} from 'drizzle-orm';
import {
  BetterSQLiteSession,
  type BetterSQLiteTransaction,
} from 'drizzle-orm/better-sqlite3/session';
import {
  BaseSQLiteDatabase,
  SQLiteSyncDialect,
  type SQLiteTransactionConfig,
} from 'drizzle-orm/sqlite-core';

import type { RunResult, SkeinDatabase, TransactionMode } from '../database/shape.ts';

/** A database of Drizzle; `$client` is the one below it. */
export type SkeinDrizzle<S extends Record<string, unknown> = Record<string, never>> =
  BaseSQLiteDatabase<'sync', RunResult, S> & { readonly $client: SkeinDatabase };

/** As drizzle() of drizzle-orm, with a database of the node. */
export function drizzle<S extends Record<string, unknown> = Record<string, never>>(
  database: SkeinDatabase,
  config: DrizzleConfig<S> = {},
): SkeinDrizzle<S> {
  const { schema: fullSchema, casing, logger } = config;
  const dialect = new SQLiteSyncDialect(casing === undefined ? {} : { casing });
  const relational = fullSchema === undefined ? undefined : describe(fullSchema);
  const session = new SkeinSession(database, dialect, relational, logger);
  const made = new BaseSQLiteDatabase('sync', dialect, session as never, relational as never);
  return Object.assign(made, { $client: database }) as unknown as SkeinDrizzle<S>;
}

type Logger = DrizzleConfig['logger'];
type Schema = Record<string, unknown>;
type Relational = ConstructorParameters<typeof BetterSQLiteSession>[2];

class SkeinSession extends BetterSQLiteSession<Schema, never> {
  readonly #mode: TransactionMode;

  constructor(
    database: SkeinDatabase,
    dialect: SQLiteSyncDialect,
    relational: Relational,
    logger: Logger,
  ) {
    const own = logger === true ? new DefaultLogger() : logger === false ? undefined : logger;
    super(
      database as never,
      dialect,
      relational as never,
      own === undefined ? {} : { logger: own },
    );
    this.#mode = database.transactionMode;
  }

  override transaction<T>(
    body: (transaction: BetterSQLiteTransaction<Schema, never>) => T,
    { behavior }: SQLiteTransactionConfig = {},
  ): T {
    return super.transaction(body, { behavior: behavior ?? behaviorOf(this.#mode) });
  }
}

function behaviorOf(mode: TransactionMode): 'deferred' | 'immediate' | 'exclusive' {
  return mode.toLowerCase() as Lowercase<TransactionMode>;
}

function describe(fullSchema: Schema): Relational {
  const { tables, tableNamesMap } = extractTablesRelationalConfig(
    fullSchema,
    createTableRelationsHelpers,
  );
  return { fullSchema, schema: tables, tableNamesMap };
}
