// What a node may do, and in whose term of leadership: decided outside of the engine, kept by it.
//
// Invariant: no record is in the log of a term that `node.json` does not know durably. So a node
// that comes back never takes part in an older term than it did before.

import { assert } from '@skein/bytes';
import type { Disk } from '@skein/host';

import { type NodeIdentity, writeIdentity } from '../data-folder/node-file.ts';
import { EngineError } from '../errors.ts';

/**
 * 'primary': clients may write. 'replica': only what comes from the primary is written, by the
 * node. 'suspended': nobody may write, until it is clear who the primary is.
 */
export type Role = 'primary' | 'replica' | 'suspended';

export interface TermOptions {
  readonly disk: Disk;
  /** The data folder. */
  readonly folder: string;
  readonly identity: NodeIdentity;
  readonly role: Role;
  /** Told of each new epoch when it is durable. */
  readonly onEpoch: (epoch: number) => void;
}

export class Term {
  readonly #options: TermOptions;
  #epoch: number;
  #role: Role;
  #refusal: EngineError | undefined;

  constructor(options: TermOptions) {
    this.#options = options;
    this.#epoch = options.identity.epoch;
    this.#role = options.role;
    this.#refusal = options.role === 'suspended' ? suspended('it is not known yet') : undefined;
    options.onEpoch(this.#epoch);
  }

  get role(): Role {
    return this.#role;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /**
   * Why clients may not write; undefined on a primary, and on a replica, which has its own reason.
   */
  get refusal(): EngineError | undefined {
    return this.#refusal;
  }

  /** Remembers, durably, a later term. Throws EPOCH_TOO_LOW, DiskError. */
  raiseEpoch(epoch: number): void {
    if (epoch < this.#epoch) throw epochTooLow(epoch, this.#epoch);
    if (epoch === this.#epoch) return;
    const { disk, folder, identity, onEpoch } = this.#options;
    writeIdentity(disk, folder, { ...identity, epoch });
    this.#epoch = epoch;
    onEpoch(epoch);
  }

  /** `reason`: why nobody may write, for 'suspended'. A replica stays one until it is restarted. */
  setRole(role: 'primary' | 'suspended', reason: string): void {
    assert(this.#role !== 'replica', 'A replica becomes something else by a restart');
    this.#role = role;
    this.#refusal = role === 'suspended' ? suspended(reason) : undefined;
  }
}

function suspended(reason: string): EngineError {
  return new EngineError(
    'NODE_SUSPENDED',
    `Cannot write: this node does not accept any (${reason})`,
    {
      hint: 'See who the primary is on each node: skein status',
    },
  );
}

function epochTooLow(epoch: number, known: number): EngineError {
  return new EngineError(
    'EPOCH_TOO_LOW',
    `Cannot take a transaction of epoch ${epoch}: this node has seen epoch ${known}`,
    { hint: 'A node that was primary before still takes itself for it: restart that one' },
  );
}
