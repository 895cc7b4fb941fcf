// The migrations that `npm run makemigrations` has written, and putting them into the database.
//
// Only the primary does that; replicas get the tables as they get everything. An application is
// ready when the database has the migrations that its code came with.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { NotPrimaryError, type NodeView } from '@skein/client';
import { migrate as runMigrations } from 'drizzle-orm/better-sqlite3/migrator';

import type { MessageStore } from './store.ts';

const FOLDER = join(import.meta.dirname, '..', 'migrations');

interface Journal {
  readonly entries: readonly { readonly tag: string; readonly when: number }[];
}

function readJournal(): Journal['entries'] {
  const text = readFileSync(join(FOLDER, 'meta', '_journal.json'), 'utf8');
  return (JSON.parse(text) as Journal).entries;
}

/** When the newest of the migrations that are here was made. */
export function newestMigrationMs(): number {
  return Math.max(0, ...readJournal().map(({ when }) => when));
}

/** Returns the names of those that it has applied. Throws NotPrimaryError on a replica. */
export function migrate(node: NodeView, store: MessageStore): string[] {
  if (!node.isPrimary) throw new NotPrimaryError(node.state.primary);
  store.useWal();
  const beforeMs = migratedMs(store);
  runMigrations(store.drizzle, { migrationsFolder: FOLDER });
  return readJournal()
    .filter(({ when }) => when > beforeMs)
    .map(({ tag }) => tag);
}

/** Whether the database has all migrations up to `neededMs`. */
export function isMigrated(store: MessageStore, neededMs: number): boolean {
  return migratedMs(store) >= neededMs;
}

/** 0 where there is no database yet, or no migration in it. */
function migratedMs(store: MessageStore): number {
  try {
    return store.migratedMs();
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

/** No table, or no file; Drizzle has what was thrown as the cause of its own error. */
function isMissing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: unknown };
  return ['SQLITE_ERROR', 'DATABASE_MISSING'].includes(String(code)) || isMissing(error.cause);
}
