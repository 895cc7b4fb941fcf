// The node of an application that does without Skein on purpose: one process, or several, on a
// plain folder. It is primary, nothing follows it, and its databases have no positions.

import { hostname } from 'node:os';

import type { NodeSettings } from '../connect-node.ts';
import type { NodeListener, NodeState, NodeView } from '../node-view.ts';
import { createState } from './state.ts';

export class PlainNode implements NodeView {
  readonly mountPath: string;
  readonly databaseName: string | undefined;
  readonly state: NodeState;
  readonly isPrimary = true;
  readonly generation = 0;

  constructor({ mountPath, databaseName, nodeName }: NodeSettings) {
    this.mountPath = mountPath;
    this.databaseName = databaseName;
    const name = nodeName ?? hostname();
    this.state = createState({ name, role: 'primary', epoch: 0, lagMs: 0, positions: new Map() });
  }

  /** Nothing ever changes. */
  on(_event: string, _listener: NodeListener): () => void {
    return () => undefined;
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  roleNow(): NodeState {
    return this.state;
  }

  /** Everything is here already. */
  waitForPosition(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
