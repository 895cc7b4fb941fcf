// Prisma's driver adapter on a database of the node.
//
// A transaction has a connection of its own, so that other queries neither see what it has not
// committed nor become part of it; those that write wait for its end, in their order.

import {
  DriverAdapterError,
  type IsolationLevel,
  type SqlDriverAdapter,
  type SqlDriverAdapterFactory,
  type SqlQuery,
  type SqlQueryable,
  type SqlResultSet,
  type Transaction,
} from '@prisma/driver-adapter-utils';

import type { SkeinDatabase } from '../../database/shape.ts';
import { executeRaw, inTermsOfPrisma, isWrite, queryRaw } from './queries.ts';
import { Queue } from './queue.ts';

const ADAPTER_NAME = '@skein/client';

/** `new PrismaClient({ adapter: new PrismaSkein(database) })`. */
export class PrismaSkein implements SqlDriverAdapterFactory {
  readonly provider = 'sqlite' as const;
  readonly adapterName: string = ADAPTER_NAME;
  readonly #database: SkeinDatabase;

  constructor(database: SkeinDatabase) {
    this.#database = database;
  }

  /** Each client has connections of its own, and closes them. */
  connect(): Promise<SqlDriverAdapter> {
    return Promise.resolve(new SkeinAdapter(this.#database.another()));
  }
}

class SkeinQueryable implements SqlQueryable {
  readonly provider = 'sqlite' as const;
  readonly adapterName: string = ADAPTER_NAME;
  protected readonly database: SkeinDatabase;

  constructor(database: SkeinDatabase) {
    this.database = database;
  }

  async queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    return queryRaw(this.database, query);
  }

  async executeRaw(query: SqlQuery): Promise<number> {
    return executeRaw(this.database, query);
  }
}

class SkeinAdapter extends SkeinQueryable implements SqlDriverAdapter {
  readonly #writers = new Queue();
  #transacting: SkeinDatabase | undefined;

  override async queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    if (!isWrite(this.database, query.sql)) return super.queryRaw(query);
    return this.#inTurn(() => super.queryRaw(query));
  }

  override async executeRaw(query: SqlQuery): Promise<number> {
    return this.#inTurn(() => super.executeRaw(query));
  }

  async executeScript(script: string): Promise<void> {
    await this.#inTurn(async () => {
      inTermsOfPrisma(() => this.database.exec(script));
    });
  }

  async startTransaction(isolationLevel?: IsolationLevel): Promise<Transaction> {
    if (isolationLevel !== undefined && isolationLevel !== 'SERIALIZABLE') {
      throw new DriverAdapterError({ kind: 'InvalidIsolationLevel', level: isolationLevel });
    }
    const leave = await this.#writers.enter();
    const database = (this.#transacting ??= this.database.another());
    try {
      inTermsOfPrisma(() => database.prepare(`BEGIN ${database.transactionMode}`).run());
    } catch (error) {
      leave();
      throw error;
    }
    return new SkeinTransaction(database, leave);
  }

  async dispose(): Promise<void> {
    this.#transacting?.close();
    this.database.close();
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const leave = await this.#writers.enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }
}

class SkeinTransaction extends SkeinQueryable implements Transaction {
  /** COMMIT and ROLLBACK come from the adapter, which is told of the end only by these calls. */
  readonly options = { usePhantomQuery: true };
  readonly #leave: () => void;

  constructor(database: SkeinDatabase, leave: () => void) {
    super(database);
    this.#leave = leave;
  }

  async commit(): Promise<void> {
    this.#end(() => this.#run('COMMIT'));
  }

  async rollback(): Promise<void> {
    this.#end(() => undefined);
  }

  async createSavepoint(name: string): Promise<void> {
    this.#run(`SAVEPOINT ${name}`);
  }

  async rollbackToSavepoint(name: string): Promise<void> {
    this.#run(`ROLLBACK TO ${name}`);
  }

  async releaseSavepoint(name: string): Promise<void> {
    this.#run(`RELEASE SAVEPOINT ${name}`);
  }

  #end(commit: () => void): void {
    try {
      commit();
    } finally {
      // Also after a commit that was refused, which leaves the transaction open.
      if (this.database.inTransaction) this.#run('ROLLBACK');
      this.#leave();
    }
  }

  #run(sql: string): void {
    inTermsOfPrisma(() => this.database.prepare(sql).run());
  }
}
