// Connections that no stream has, kept a while for the next one: opening one and preparing its
// statements take longer than most queries.
//
// Not for long: a database that is open cannot be replaced by `mv`.

import { Connection, type ConnectionOptions } from './connection.ts';

/** Each may have its statements and some pages in memory. */
const COUNT_MAX = 16;
const IDLE_MS = 3000;

interface Idle {
  readonly connection: Connection;
  readonly sinceMs: number;
}

export class IdleConnections {
  /** The one that came last is the last. */
  #idle: Idle[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** One that was kept, or another. Throws SqliteError. */
  take(options: ConnectionOptions): Connection {
    const { path, isReadonly } = options;
    const index = this.#idle.findLastIndex(({ connection }) => {
      return connection.path === path && connection.isReadonly === isReadonly;
    });
    if (index === -1) return new Connection(options);
    const [{ connection }] = this.#idle.splice(index, 1) as [Idle];
    return connection;
  }

  /** Of a stream that has ended. */
  give(connection: Connection): void {
    if (!connection.isReusable) {
      connection.close();
      return;
    }
    this.#idle.push({ connection, sinceMs: performance.now() });
    if (this.#idle.length > COUNT_MAX) this.#idle.shift()!.connection.close();
    this.#timer ??= setTimeout(() => this.#closeOld(), IDLE_MS);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { connection } of this.#idle.splice(0)) connection.close();
  }

  #closeOld(): void {
    const nowMs = performance.now();
    const isOld = ({ sinceMs }: Idle): boolean => nowMs - sinceMs >= IDLE_MS;
    for (const { connection } of this.#idle.filter(isOld)) connection.close();
    this.#idle = this.#idle.filter((each) => !isOld(each));
    const [oldest] = this.#idle;
    const waitMs = oldest === undefined ? undefined : oldest.sinceMs + IDLE_MS - nowMs;
    this.#timer = waitMs === undefined ? undefined : setTimeout(() => this.#closeOld(), waitMs);
  }
}
