// Knex on a database of the node: its own client for better-sqlite3, which is given the database
// instead of opening one, and whose transactions begin as the database says.

import { createRequire } from 'node:module';

import type { Knex } from 'knex';

import type { SkeinDatabase } from '../database/shape.ts';

/**
 * The configuration for `knex(…)`. It has one connection, as Knex has for SQLite: `destroy()`
 * closes the database.
 */
export function knexConfig(database: SkeinDatabase): Knex.Config {
  return {
    client: clientFor(database),
    connection: { filename: database.name },
    useNullAsDefault: true,
  };
}

/** What is used here of Knex's client and of its transactions, of which there are no types. */
interface KnexTransaction {
  query(connection: unknown, sql: string): Promise<unknown>;
}
type KnexClient = new (config: Knex.Config) => {
  readonly driver: unknown;
  transaction(...args: unknown[]): KnexTransaction;
};

function clientFor(database: SkeinDatabase): typeof Knex.Client {
  const load = createRequire(import.meta.url);
  const BetterSqlite3Client = load('knex/lib/dialects/better-sqlite3/index.js') as KnexClient;
  class SkeinClient extends BetterSqlite3Client {
    _driver(): object {
      // Nothing is opened with it.
      return {};
    }

    acquireRawConnection(): Promise<SkeinDatabase> {
      return Promise.resolve(database);
    }

    override transaction(...args: unknown[]): KnexTransaction {
      const transaction = super.transaction(...args);
      return Object.assign(transaction, {
        begin: (connection: unknown) =>
          transaction.query(connection, `BEGIN ${database.transactionMode};`),
      });
    }
  }
  return SkeinClient as unknown as typeof Knex.Client;
}
