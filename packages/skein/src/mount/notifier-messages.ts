// What the thread that serves the mount asks of the one that notifies the kernel.

import type { MessagePort } from 'node:worker_threads';

import type { ByteRange, ContentPiece } from '@skein/engine';

export type Notification =
  | { readonly kind: 'content'; readonly nodeid: number; readonly id: number }
  | {
      readonly kind: 'ranges';
      readonly nodeid: number;
      readonly ranges: readonly ByteRange[];
      readonly id: number;
    }
  | {
      readonly kind: 'store';
      readonly nodeid: number;
      /** Put into the kernel's pages in the order given. */
      readonly pieces: readonly ContentPiece[];
      readonly id: number;
    };

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
