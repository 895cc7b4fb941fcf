// How an application opens a database of its node.

import { join } from 'node:path';

import { NodeDatabase } from './database/node-database.ts';
import type { SkeinDatabase, TransactionMode } from './database/shape.ts';
import type { NativeDatabase, SqliteDriver } from './drivers/driver.ts';
import { type DriverName, loadDriver } from './drivers/load-driver.ts';
import { SkeinError } from './errors.ts';
import type { NodeView } from './node-view.ts';
import { SettingsError } from './settings/errors.ts';
import { parseDatabaseName } from './settings/values.ts';

export interface OpenOptions {
  /** By name, or one that was made; default: better-sqlite3 where it is installed, else Node's. */
  readonly driver?: DriverName | SqliteDriver;
  /** Its file in the mount; default: the one of the settings by which the node was connected. */
  readonly database?: string;
  /** How transactions begin that transaction() opens; default: IMMEDIATE. */
  readonly transactionMode?: TransactionMode;
  /** How long SQLite waits for a lock; default 5,000. It blocks the process. */
  readonly busyTimeoutMs?: number;
  /**
   * What a write on a replica does. `throw`, the default: NotPrimaryError. `forward` needs a driver
   * that can wait for another node: openForwarding() of `@skein/client/hrana`.
   */
  readonly onReplica?: 'throw' | 'forward';
  /** Called with each connection that is opened: pragmas, functions, extensions. */
  readonly configure?: (native: NativeDatabase, isReadonly: boolean) => void;
}

const BUSY_TIMEOUT_MS = 5_000;

/** A database of the node, whose file is opened at its first use. Throws SettingsError. */
export function openDatabase(node: NodeView, options: OpenOptions = {}): SkeinDatabase {
  const { driver, database, transactionMode = 'IMMEDIATE', onReplica = 'throw' } = options;
  if (onReplica === 'forward') {
    throw new SkeinError('DATABASE_MISUSE', 'Cannot forward from a driver that does not wait', {
      hint: 'Use @skein/client/hrana, or let the proxy forward the request',
    });
  }
  return new NodeDatabase({
    node,
    path: join(node.mountPath, checkName(database ?? node.databaseName ?? '')),
    driver: typeof driver === 'object' ? driver : loadDriver(driver),
    transactionMode,
    busyTimeoutMs: options.busyTimeoutMs ?? BUSY_TIMEOUT_MS,
    configure: options.configure,
  });
}

function checkName(name: string): string {
  try {
    return parseDatabaseName(name);
  } catch (error) {
    throw new SettingsError([{ setting: 'database', message: (error as RangeError).message }]);
  }
}
