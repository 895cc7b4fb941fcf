// A node whose role the test says.

import type { NodeListener, NodeRole, NodeState, NodeView } from '../src/node-view.ts';
import { createState } from '../src/node/state.ts';

export const FAKE_PRIMARY = { name: 'node1', url: 'http://node1:20202/' } as const;

export class FakeNode implements NodeView {
  readonly mountPath: string;
  generation = 0;
  #state: NodeState;
  /** What its mount shows, where that is not what it has told yet. */
  shown: NodeRole | undefined;

  constructor(mountPath: string, role: NodeRole = 'primary') {
    this.mountPath = mountPath;
    this.#state = stateOf(role);
  }

  get state(): NodeState {
    return this.#state;
  }

  get isPrimary(): boolean {
    return this.#state.role === 'primary';
  }

  become(role: NodeRole): void {
    this.#state = stateOf(role);
  }

  on(_event: string, _listener: NodeListener): () => void {
    return () => undefined;
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  roleNow(): NodeState {
    return this.shown === undefined ? this.#state : stateOf(this.shown);
  }

  waitForPosition(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function stateOf(role: NodeRole): NodeState {
  const primary = role === 'replica' ? FAKE_PRIMARY : undefined;
  return createState({ name: 'node2', role, epoch: 1, lagMs: 0, primary, positions: new Map() });
}
