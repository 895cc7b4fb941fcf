// What the thread that serves the mount asks of the one that notifies the kernel.

import type { MessagePort } from 'node:worker_threads';

export type Notification =
  | { readonly kind: 'content'; readonly nodeid: number; readonly id: number }
  | {
      readonly kind: 'store';
      readonly nodeid: number;
      readonly pieces: readonly StoredPiece[];
      readonly id: number;
    };

/** Put into the kernel's pages in the order given. */
export interface StoredPiece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** The answer: what the kernel has been told of. */
export interface Notified {
  readonly id: number;
  /** The kernel refused, for a reason that must not be. */
  readonly failure: string | undefined;
}

export interface NotifierData {
  readonly deviceFd: number;
  readonly wakeFd: number;
  readonly port: MessagePort;
}
