// The engine's ReplicaLocks. The kernel keeps the locks of the mount, so a lock on a descriptor
// makes no request: this thread, which serves the mount, may take it. To open and to close a
// descriptor does make some, and so does reading: that is the main thread's part.

import type { Presence, ReplicaLocks } from '@skein/engine';
import type { FileLocks } from '@skein/host';

import { fromErrorData, type FromMountThread, type ToMountThread } from './thread-messages.ts';

export interface MountReplicaLocksOptions {
  readonly locks: FileLocks;
  readonly send: (message: FromMountThread) => void;
}

type Joined = (outcome: Presence | Error) => void;
type Read = (outcome: Uint8Array | Error) => void;

interface Joining {
  readonly database: string;
  readonly done: Joined;
}

export class MountReplicaLocks implements ReplicaLocks {
  readonly #options: MountReplicaLocksOptions;
  readonly #joining = new Map<number, Joining>();
  readonly #reading = new Map<number, Read>();
  #nextId = 1;
  #isMounted = false;
  #hasEnded = false;

  constructor(options: MountReplicaLocksOptions) {
    this.#options = options;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  join(database: string, done: Joined): void {
    if (this.#hasEnded) return done(ended());
    const id = this.#nextId++;
    this.#joining.set(id, { database, done });
    if (this.#isMounted) this.#options.send({ kind: 'join', id, database });
  }

  /** The mount is there: what was asked for before can be done. */
  connect(): void {
    this.#isMounted = true;
    const { send } = this.#options;
    for (const [id, { database }] of this.#joining) send({ kind: 'join', id, database });
  }

  /** The mount is about to go: nobody takes part any more, and no lock is to be had. */
  end(): void {
    this.#hasEnded = true;
  }

  take(message: Extract<ToMountThread, { readonly kind: 'joined' | 'index' }>): void {
    if (message.kind === 'joined') this.#takeJoined(message);
    else this.#takeIndex(message);
  }

  #takeJoined(message: Extract<ToMountThread, { readonly kind: 'joined' }>): void {
    const { id, outcome } = message;
    const { done } = this.#joining.get(id)!;
    this.#joining.delete(id);
    done('error' in outcome ? fromErrorData(outcome.error) : this.#presence(id, outcome.shmFd));
  }

  #takeIndex({ id, outcome }: Extract<ToMountThread, { readonly kind: 'index' }>): void {
    const read = this.#reading.get(id)!;
    this.#reading.delete(id);
    read('error' in outcome ? fromErrorData(outcome.error) : outcome.bytes);
  }

  #presence(presence: number, fd: number): Presence {
    const { locks, send } = this.#options;
    return {
      tryLock: (byte, count, kind) => !this.#hasEnded && locks.tryLockRange(fd, kind, byte, count),
      unlock: (byte, count) => {
        if (!this.#hasEnded) locks.unlockRange(fd, byte, count);
      },
      holderOf: (byte) => {
        if (this.#hasEnded) return undefined;
        const holder = locks.findHolder(fd, 'exclusive', byte, 1);
        // The lock of an open file description belongs to no process.
        return holder === undefined ? undefined : Math.max(holder.pid, 0);
      },
      readIndex: (length, done) => {
        if (this.#hasEnded) return done(ended());
        const id = this.#nextId++;
        this.#reading.set(id, done);
        send({ kind: 'read-index', id, presence, length });
      },
      release: () => send({ kind: 'leave', presence }),
    };
  }
}

function ended(): Error {
  return new Error('The mount is being taken down');
}
