// The messages of the demo, in a database on the mount. On a replica SQLite opens it read-only by
// itself, and every write is refused there: that is all an application notices of its role.

import { DatabaseSync } from 'node:sqlite';

export interface Message {
  readonly id: number;
  readonly content: string;
  readonly node_name: string;
  readonly created_at: string;
}

export interface NewMessage {
  readonly content: string;
  readonly nodeName: string;
  readonly createdAt: string;
}

const LISTED_MAX = 100;
/** For the writer of another process; on a replica nobody waits. */
const BUSY_TIMEOUT_MS = 5000;

// Primary result codes: https://sqlite.org/rescode.html
const SQLITE_ERROR = 1;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CANTOPEN = 14;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY,
    content TEXT NOT NULL,
    node_name TEXT NOT NULL,
    created_at TEXT NOT NULL
  )`;

/** The node follows another one, which is where writes go. */
export class ReplicaError extends Error {
  override readonly name = 'ReplicaError';
}

export class MessageStore {
  readonly #path: string;
  #database: DatabaseSync | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Makes the table where this is allowed: on the primary. Elsewhere it comes by replication. */
  prepare(): void {
    try {
      this.#write((database) => database.exec(SCHEMA));
    } catch (error) {
      const isWaiting = error instanceof ReplicaError || codeOf(error) === SQLITE_CANTOPEN;
      if (!isWaiting) throw error;
    }
  }

  count(): number {
    return Number(this.#rows('SELECT count(*) AS count FROM message')[0]?.['count'] ?? 0);
  }

  /** The newest first. */
  list(): Message[] {
    const sql = `SELECT id, content, node_name, created_at FROM message
                 ORDER BY id DESC LIMIT ${LISTED_MAX}`;
    return this.#rows(sql) as unknown as Message[];
  }

  countsByNode(): Record<string, number> {
    const sql = 'SELECT node_name, count(*) AS count FROM message GROUP BY node_name';
    return Object.fromEntries(
      this.#rows(sql).map((row) => [String(row['node_name']), Number(row['count'])]),
    );
  }

  /** Returns the number of the message. Throws ReplicaError on a replica. */
  create({ content, nodeName, createdAt }: NewMessage): number {
    return this.#write((database) => {
      database.exec(SCHEMA);
      const sql = 'INSERT INTO message (content, node_name, created_at) VALUES (?, ?, ?)';
      return Number(database.prepare(sql).run(content, nodeName, createdAt).lastInsertRowid);
    });
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  #rows(sql: string): Record<string, unknown>[] {
    try {
      return this.#opened().prepare(sql).all();
    } catch (error) {
      // No table yet: no messages.
      if (codeOf(error) === SQLITE_ERROR) return [];
      this.#forget(error);
      throw error;
    }
  }

  #write<T>(work: (database: DatabaseSync) => T): T {
    try {
      return work(this.#opened());
    } catch (error) {
      this.#forget(error);
      if (codeOf(error) !== SQLITE_READONLY) throw error;
      throw new ReplicaError('Write operation attempted on replica node', { cause: error });
    }
  }

  #opened(): DatabaseSync {
    this.#database ??= new DatabaseSync(this.#path, { timeout: BUSY_TIMEOUT_MS });
    return this.#database;
  }

  /**
   * A file that was opened before its node was restarted, or changed its role, stays as it was:
   * the next request opens it anew.
   */
  #forget(error: unknown): void {
    const isStale = [SQLITE_READONLY, SQLITE_IOERR, SQLITE_CANTOPEN].includes(codeOf(error) ?? 0);
    if (isStale) this.close();
  }
}

function codeOf(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: number };
  return errcode === undefined ? undefined : errcode & 0xff;
}
