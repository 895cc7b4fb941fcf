// What the server knows of its node: the role, where the primary's SQL is, where the databases
// stand. It is told, it never asks.

import type { NodeRole, Position as DatabasePosition } from '@skein/client/peers';

export type { DatabasePosition, NodeRole };

export interface PrimaryNode {
  readonly name: string;
  /** Where its SQL is served; undefined: nowhere, as far as is known. */
  readonly sqlUrl: string | undefined;
}

/** Plain data, so that it can be sent to another process. What is left out is as it was. */
export interface NodeChange {
  readonly role?: NodeRole;
  readonly epoch?: number;
  /** Of a replica; ignored in every other role. */
  readonly primary?: PrimaryNode;
  /** Only those that moved; without a position it is gone. */
  readonly positions?: readonly (readonly [
    database: string,
    position: DatabasePosition | undefined,
  ])[];
}

export class NodeView {
  readonly name: string;
  readonly #positions = new Map<string, DatabasePosition>();
  readonly #listeners = new Set<() => void>();
  #role: NodeRole = 'no-primary';
  #epoch = 0;
  #primary: PrimaryNode | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get role(): NodeRole {
    return this.#role;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Only on a replica. */
  get primary(): PrimaryNode | undefined {
    return this.#primary;
  }

  position(database: string): DatabasePosition | undefined {
    return this.#positions.get(database);
  }

  /** Calls `listener` after each change. Returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  update({ role, epoch, primary, positions = [] }: NodeChange): void {
    this.#role = role ?? this.#role;
    this.#epoch = epoch ?? this.#epoch;
    this.#primary = this.#role === 'replica' ? (primary ?? this.#primary) : undefined;
    for (const [database, position] of positions) {
      if (position === undefined) this.#positions.delete(database);
      else this.#positions.set(database, position);
    }
    for (const listener of this.#listeners) listener();
  }

  /**
   * Resolves with true as soon as `isSo` says so, or with false when there is no more time. Never
   * rejects.
   */
  until(isSo: () => boolean, timeoutMs: number): Promise<boolean> {
    if (isSo()) return Promise.resolve(true);
    if (timeoutMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (result: boolean): void => {
        clearTimeout(timer);
        stop();
        resolve(result);
      };
      const timer = setTimeout(() => end(false), timeoutMs);
      const stop = this.onChange(() => {
        if (isSo()) end(true);
      });
    });
  }
}
