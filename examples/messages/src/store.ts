// The messages of this node's database, through Drizzle. Reads are this node's own; a write throws
// NotPrimaryError where another node is primary.

import { type NodeView, openDatabase, type SkeinDatabase } from '@skein/client';
import { drizzle, type SkeinDrizzle } from '@skein/client/drizzle';
import { count, desc, sql } from 'drizzle-orm';

import { GroupCommit } from './group-commit.ts';
import { messages } from './schema.ts';

export type Message = typeof messages.$inferSelect;
export type NewMessage = Omit<Message, 'id'>;

const LISTED_MAX = 100;
/** Of Drizzle's migrator, which notes the time of each migration. */
const MIGRATED = sql`SELECT max(created_at) FROM __drizzle_migrations`;

export class MessageStore {
  readonly #client: SkeinDatabase;
  readonly #database: SkeinDrizzle;
  readonly #commits = new GroupCommit((all: readonly NewMessage[]) => this.#insert(all));

  constructor(node: NodeView, databaseName: string) {
    this.#client = openDatabase(node, {
      database: databaseName,
      // A message that was acknowledged survives a power cut.
      configure: (native) => native.exec('PRAGMA synchronous = FULL'),
    });
    this.#database = drizzle(this.#client);
  }

  /** The file. */
  get path(): string {
    return this.#client.name;
  }

  /** For the migrator. */
  get drizzle(): SkeinDrizzle {
    return this.#database;
  }

  /** When the newest of the migrations that the database has was made; 0 without any. */
  migratedMs(): number {
    const [row] = this.#database.values<[number | null]>(MIGRATED);
    return row?.[0] ?? 0;
  }

  count(): number {
    return this.#database.select({ total: count() }).from(messages).get()?.total ?? 0;
  }

  /** The newest first. */
  list(): Message[] {
    return this.#database
      .select()
      .from(messages)
      .orderBy(desc(messages.id))
      .limit(LISTED_MAX)
      .all();
  }

  countsByNode(): Record<string, number> {
    const rows = this.#database
      .select({ nodeName: messages.nodeName, total: count() })
      .from(messages)
      .groupBy(messages.nodeName)
      .all();
    return Object.fromEntries(rows.map(({ nodeName, total }) => [nodeName, total]));
  }

  /** Resolves with its number when it is committed. */
  create(message: NewMessage): Promise<number> {
    return this.#commits.add(message);
  }

  /** WAL takes the fewest round trips on a mount. It stays with the database. */
  useWal(): void {
    this.#client.pragma('journal_mode = WAL');
  }

  close(): void {
    this.#client.close();
  }
  #insert(all: readonly NewMessage[]): number[] {
    return this.#database.transaction((transaction) =>
      all.map((message) => {
        const inserted = transaction.insert(messages).values(message);
        return inserted.returning({ id: messages.id }).get().id;
      }),
    );
  }
}
