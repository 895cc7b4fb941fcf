// A node of which the test says what it is, with a folder that says where its database stands, as
// a mount does.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { tempDir, type TestScope } from '@skein/testkit';

import { SkeinError } from '../../src/errors.ts';
import type {
  NodeEventName,
  NodeListener,
  NodeState,
  NodeView,
  Position,
  PositionTarget,
  WaitOptions,
} from '../../src/node-view.ts';

export const DATABASE = 'app.db';
const WAIT_MS = 5000;

export type Change = Partial<Pick<NodeState, 'role' | 'epoch' | 'primary' | 'lagMs'>>;

export class PushedNode implements NodeView {
  readonly mountPath: string;
  readonly generation = 0;
  #state: NodeState;
  #position: Position | undefined;
  readonly #listeners = new Set<NodeListener>();

  constructor(t: TestScope, name: string) {
    this.mountPath = tempDir(t);
    this.#state = {
      name,
      role: 'no-primary',
      epoch: 1,
      lagMs: 0,
      position: (database) => (database === DATABASE ? this.#position : undefined),
    };
  }

  get state(): NodeState {
    return this.#state;
  }

  get isPrimary(): boolean {
    return this.#state.role === 'primary';
  }

  update(change: Change): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener(this.#state);
  }

  /** The mount and the view say so. */
  moveTo(txid: bigint): void {
    this.commit(txid);
    this.#position = { epoch: this.#state.epoch, txid };
    this.update({});
  }

  /** The mount says so at once; the news come later. */
  commit(txid: bigint): void {
    const digits = txid.toString(16).padStart(16, '0');
    writeFileSync(join(this.mountPath, `${DATABASE}-pos`), `${digits}/d6a16f872a8413ff\n`);
  }

  on(_event: NodeEventName, listener: NodeListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async refresh(): Promise<void> {}

  roleNow(): NodeState {
    return this.#state;
  }

  waitForPosition(database: string, target: PositionTarget, options?: WaitOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const isThere = (): boolean => (this.#state.position(database)?.txid ?? 0n) >= target.txid;
      const end = (): void => {
        stop();
        clearTimeout(timer);
      };
      const timer = setTimeout(() => {
        end();
        reject(new SkeinError('POSITION_TIMEOUT', 'Not in time'));
      }, options?.timeoutMs ?? WAIT_MS);
      const stop = this.on('position', () => {
        if (!isThere()) return;
        end();
        resolve();
      });
    });
  }

  async close(): Promise<void> {}
}
