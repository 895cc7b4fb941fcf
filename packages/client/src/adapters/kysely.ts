// Kysely on a database of the node. Its own dialect begins transactions with plain BEGIN, which
// fails half-way when two of them read and then write; this one begins as the database says, and
// DEFERRED where a transaction says that it only reads.

import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  SqliteDialect,
  SqliteDriver,
  type TransactionSettings,
} from 'kysely';

import type { SkeinDatabase } from '../database/shape.ts';

/** `new Kysely<Tables>({ dialect: new SkeinDialect(database) })`. */
export class SkeinDialect extends SqliteDialect {
  readonly #database: SkeinDatabase;

  constructor(database: SkeinDatabase) {
    super({ database: toKysely(database) });
    this.#database = database;
  }

  override createDriver(): Driver {
    return new SkeinDriver(this.#database);
  }
}

class SkeinDriver extends SqliteDriver {
  readonly #database: SkeinDatabase;

  constructor(database: SkeinDatabase) {
    super({ database: toKysely(database) });
    this.#database = database;
  }

  override async beginTransaction(
    connection: DatabaseConnection,
    settings: TransactionSettings = {},
  ): Promise<void> {
    const readsOnly = settings.accessMode === 'read only';
    const mode = readsOnly ? 'DEFERRED' : this.#database.transactionMode;
    await connection.executeQuery(CompiledQuery.raw(`begin ${mode}`));
  }
}

type KyselyDatabase = ConstructorParameters<typeof SqliteDriver>[0]['database'];

/** Kysely gives its parameters the type unknown: what has no type in SQLite the driver refuses. */
function toKysely(database: SkeinDatabase): KyselyDatabase {
  return database as unknown as KyselyDatabase;
}
