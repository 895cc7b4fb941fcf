// The locks that clients and a replica hold on the bytes of wal-indexes, in a simulated world: as
// the kernel keeps them for open file descriptions.

import assert from 'node:assert/strict';

import { WAL_DMS_LOCK } from '@skein/sqlite-file';

import type { Presence, ReplicaLocks } from '../src/ports.ts';
import type { SimNode } from './sim-node.ts';

type Kind = 'shared' | 'exclusive';

/** One open file description. */
export interface SimLockOwner {
  readonly pid: number;
}

export class SimLocks {
  /** What each owner holds, by `<database>:<byte>`. */
  readonly #held = new Map<string, Map<SimLockOwner, Kind>>();
  /** Why nobody can join; undefined: everybody can. */
  joinFailure: Error | undefined;
  /** Why the marks of readers cannot be read. */
  readFailure: Error | undefined;
  /** The mount is being taken down. */
  hasEnded = false;

  tryLock(owner: SimLockOwner, database: string, byte: number, kind: Kind): boolean {
    const key = `${database}:${byte}`;
    const holders = this.#held.get(key) ?? new Map<SimLockOwner, Kind>();
    for (const [other, held] of holders) {
      if (other !== owner && (kind === 'exclusive' || held === 'exclusive')) return false;
    }
    holders.set(owner, kind);
    this.#held.set(key, holders);
    return true;
  }

  unlock(owner: SimLockOwner, database: string, byte: number): void {
    this.#held.get(`${database}:${byte}`)?.delete(owner);
  }

  release(owner: SimLockOwner): void {
    for (const holders of this.#held.values()) holders.delete(owner);
  }

  /** The replica's own place among the clients. */
  replicaLocks(node: SimNode): ReplicaLocks {
    const hasEnded = (): boolean => this.hasEnded;
    return {
      get hasEnded() {
        return hasEnded();
      },
      join: (database, done) => {
        node.later(() => done(this.joinFailure ?? this.#join(node, database)));
      },
    };
  }

  #join(node: SimNode, database: string): Presence {
    const owner: SimLockOwner = { pid: -1 };
    const shm = node.engine.store.find(`${database}-shm`);
    assert(shm !== undefined, 'A replica joins a database that is not shown');
    assert(this.tryLock(owner, database, WAL_DMS_LOCK, 'shared'), 'A client is the first one');
    return {
      tryLock: (byte, count, kind) => {
        const bytes = Array.from({ length: count }, (_, n) => byte + n);
        // All of them or none, as fcntl does it.
        const isFree = bytes.every((at) => this.#isFree(owner, database, at, kind));
        if (isFree) for (const at of bytes) this.tryLock(owner, database, at, kind);
        return isFree;
      },
      unlock: (byte, count) => {
        for (let n = 0; n < count; n++) this.unlock(owner, database, byte + n);
      },
      holderOf: (byte) => {
        const holders = this.#held.get(`${database}:${byte}`) ?? new Map<SimLockOwner, Kind>();
        return [...holders.keys()].find((other) => other !== owner)?.pid;
      },
      readIndex: (length, done) => {
        node.later(() => {
          if (this.readFailure !== undefined) return done(this.readFailure);
          const bytes = new Uint8Array(length);
          shm.read(bytes, 0, length, 0);
          done(bytes);
        });
      },
      release: () => this.release(owner),
    };
  }

  #isFree(owner: SimLockOwner, database: string, byte: number, kind: Kind): boolean {
    const holders = this.#held.get(`${database}:${byte}`) ?? new Map<SimLockOwner, Kind>();
    return [...holders].every(
      ([other, held]) => other === owner || (kind === 'shared' && held === 'shared'),
    );
  }
}
