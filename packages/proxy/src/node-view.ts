// What the proxy knows of its node: the role, the primary, where the databases stand. It is told,
// it never asks: so the proxy can live in a thread of its own.
//
// Invariant: what a view says was true of the node at some moment, and moments never go back.

import { assert } from '@skein/bytes';
import type { NodeRole, Position as DatabasePosition } from '@skein/client/peers';

export type { DatabasePosition, NodeRole };

export interface PrimaryNode {
  readonly name: string;
  /** Where its proxy listens: `http://host:port`. */
  readonly proxyUrl: URL;
}

/** `moved`: the databases whose position is another now. */
export type ViewListener = (moved: readonly string[]) => void;

export interface NodeView {
  readonly nodeName: string;
  readonly role: NodeRole;
  /** Only on a replica. */
  readonly primary: PrimaryNode | undefined;
  /** How far behind the primary; 0 on the primary itself. */
  readonly lagMs: number;
  position(database: string): DatabasePosition | undefined;
  /**
   * Afterwards the view has everything that was committed here before the call. An app answers
   * right after its COMMIT: without this the answer could overtake the news of the commit.
   */
  refresh(): void | Promise<void>;
  /** Calls `listener` after each change. Returns what ends that. */
  onChange(listener: ViewListener): () => void;
}

/** Plain data, so that it can be posted to a thread. What is left out is as it was. */
export interface NodeChange {
  readonly role?: NodeRole;
  /** Of a replica; ignored in every other role. */
  readonly primary?: { readonly name: string; readonly proxyUrl: string };
  readonly lagMs?: number;
  /** Only those that moved; without a position it is gone. */
  readonly positions?: readonly (readonly [
    database: string,
    position: DatabasePosition | undefined,
  ])[];
}

/** A view that somebody else keeps up to date. */
export class PushedNodeView implements NodeView {
  readonly nodeName: string;
  readonly #refresh: () => void | Promise<void>;
  readonly #positions = new Map<string, DatabasePosition>();
  readonly #listeners = new Set<ViewListener>();
  #role: NodeRole = 'no-primary';
  #primary: PrimaryNode | undefined;
  #lagMs = 0;

  /**
   * `refresh`: brings news that wait to be taken, by calling update(). For a view at the end of a
   * port whose other end is told of a commit before the client is: receiveMessageOnPort() in a
   * loop.
   */
  constructor(nodeName: string, refresh: () => void | Promise<void> = () => {}) {
    this.nodeName = nodeName;
    this.#refresh = refresh;
  }

  get role(): NodeRole {
    return this.#role;
  }

  get primary(): PrimaryNode | undefined {
    return this.#primary;
  }

  get lagMs(): number {
    return this.#lagMs;
  }

  position(database: string): DatabasePosition | undefined {
    return this.#positions.get(database);
  }

  refresh(): void | Promise<void> {
    return this.#refresh();
  }

  onChange(listener: ViewListener): () => void {
    // The same function may be given twice, and ends twice.
    const own: ViewListener = (moved) => listener(moved);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  update(change: NodeChange): void {
    this.#role = change.role ?? this.#role;
    if (this.#role !== 'replica') this.#primary = undefined;
    else if (change.primary !== undefined) this.#primary = toPrimary(change.primary);
    assert(this.#role !== 'replica' || this.#primary !== undefined, 'A replica has a primary');
    this.#lagMs = this.#role === 'primary' ? 0 : (change.lagMs ?? this.#lagMs);
    const moved = (change.positions ?? []).map(([database, position]) => {
      if (position === undefined) this.#positions.delete(database);
      else this.#positions.set(database, position);
      return database;
    });
    for (const listener of this.#listeners) listener(moved);
  }
}

function toPrimary({ name, proxyUrl }: NonNullable<NodeChange['primary']>): PrimaryNode {
  const url = new URL(proxyUrl);
  assert(url.protocol === 'http:', 'A proxy is reached by http');
  return { name, proxyUrl: url };
}
