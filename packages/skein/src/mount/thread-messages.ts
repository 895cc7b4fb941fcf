// What the main thread and the thread that serves the mount tell each other. Plain data only.

import type { MessagePort } from 'node:worker_threads';

import {
  EngineError,
  type EngineErrorCode,
  type FileOwner,
  type NamedState,
  type SnapshotTicket,
  type Role,
} from '@skein/engine';
import { DiskError } from '@skein/host';

import type { DatabaseStatus, PassthroughStatus } from '../api/node-control.ts';
import type { EngineStatus } from '../api/engine-status.ts';
import type { MountConfig } from '../config/mount-config.ts';
import type { ReceivedBatch } from '../replication/received-batch.ts';
import type { FileToReceive, MovedPositions } from '../replication/replica-thread.ts';
import type { NodeShownState } from './shown-state.ts';

export interface MountThreadData {
  readonly config: MountConfig;
  readonly role: Role;
  readonly port: MessagePort;
  /** The eventfd that wakes the thread: there is a message. */
  readonly wakeFd: number;
  /** Of RequestCounts. */
  readonly counts: SharedArrayBuffer;
}

/** What can be asked of the node while it serves. */
export interface Calls {
  readonly status: { readonly args: readonly []; readonly result: ThreadStatus };
  readonly import: {
    readonly args: readonly [name: string, path: string];
    readonly result: DatabaseStatus;
  };
  readonly export: {
    readonly args: readonly [name: string, path: string];
    readonly result: DatabaseStatus;
  };
  /** Where every database stands, for those who follow the log. */
  readonly 'followed-states': {
    readonly args: readonly [];
    readonly result: readonly NamedState[];
  };
  /** A snapshot to be sent to a replica; it grows after the answer. To be released. */
  readonly 'begin-snapshot': {
    readonly args: readonly [name: string, peerTxid: bigint];
    readonly result: SnapshotTicket;
  };
  readonly 'release-snapshot': { readonly args: readonly [id: string]; readonly result: undefined };
  /** Clients may write from now on, or may not, for this reason. */
  readonly 'set-role': {
    readonly args: readonly [role: 'primary' | 'suspended', reason: string];
    readonly result: undefined;
  };
  /** Answered when it is durable. A lower one than the node knows changes nothing. */
  readonly 'raise-epoch': { readonly args: readonly [epoch: number]; readonly result: undefined };
  /** Answered when all that was committed before is durable. */
  readonly 'settle-log': { readonly args: readonly []; readonly result: undefined };
}

export type CallName = keyof Calls;

export interface ThreadStatus extends EngineStatus {
  readonly passthrough: PassthroughStatus;
}

export type Call = {
  [Name in CallName]: {
    readonly kind: 'call';
    readonly id: number;
    readonly name: Name;
    readonly args: Calls[Name]['args'];
  };
}[CallName];

export type ToMountThread =
  | {
      readonly kind: 'serve';
      readonly deviceFd: number;
      readonly deviceMinor: number;
      readonly folderOwner: FileOwner;
    }
  /** The mount is not to be served, or not any longer. */
  | { readonly kind: 'stop' }
  /** The files that the node itself has open on the mount are about to be closed. */
  | { readonly kind: 'retire' }
  | Call
  /** On a replica: what came over a stream. Answered when it is durable. */
  | { readonly kind: 'receive'; readonly id: number; readonly batch: ReceivedBatch }
  | { readonly kind: 'receive-file'; readonly id: number; readonly file: FileToReceive }
  /** What the mount shows of the node, from now on. */
  | { readonly kind: 'show-state'; readonly state: NodeShownState }
  | { readonly kind: 'excluded'; readonly id: number; readonly error?: ErrorData }
  /** The descriptor is the main thread's, to be closed there. */
  | {
      readonly kind: 'joined';
      readonly id: number;
      readonly outcome: { readonly shmFd: number } | Refused;
    }
  | {
      readonly kind: 'index';
      readonly id: number;
      readonly outcome: { readonly bytes: Uint8Array } | Refused;
    };

interface Refused {
  readonly error: ErrorData;
}

export type FromMountThread =
  | {
      readonly kind: 'opened';
      readonly replayedCount: number;
      readonly metrics: SharedArrayBuffer;
      /** Of PublishedLog. */
      readonly publishedLog: SharedArrayBuffer;
    }
  | { readonly kind: 'serving'; readonly passthrough: PassthroughStatus }
  | { readonly kind: 'failed'; readonly error: ErrorData }
  | { readonly kind: 'ended' }
  | { readonly kind: 'retired' }
  | { readonly kind: 'answer'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: ErrorData }
  | {
      readonly kind: 'progress';
      readonly id: number;
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  /** The kernel is to forget a name, or that there is none. */
  | { readonly kind: 'forget-name'; readonly name: string }
  /** Clients of a database are to be kept out, until the same number is told to end. */
  | { readonly kind: 'exclude'; readonly id: number; readonly database: string }
  | { readonly kind: 'end-exclusion'; readonly id: number }
  /** The node is to take part in the locks of a database. */
  | { readonly kind: 'join'; readonly id: number; readonly database: string }
  /** `presence`: the id with which it was joined. */
  | {
      readonly kind: 'read-index';
      readonly id: number;
      readonly presence: number;
      readonly length: number;
    }
  | { readonly kind: 'leave'; readonly presence: number }
  /** On a replica: databases stand further now. */
  | { readonly kind: 'moved'; readonly moved: MovedPositions };

/** An error on its way to another thread, which would lose its class. */
export interface ErrorData {
  readonly type: 'engine' | 'disk' | 'other';
  readonly message: string;
  readonly code: string | undefined;
  readonly hint: string | undefined;
  readonly stack: string | undefined;
}

export function toErrorData(error: unknown): ErrorData {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  if (error instanceof EngineError) {
    return { type: 'engine', message, code: error.code, hint: error.hint, stack };
  }
  if (error instanceof DiskError) {
    return { type: 'disk', message, code: error.code, hint: undefined, stack };
  }
  return { type: 'other', message, code: undefined, hint: undefined, stack };
}

export function fromErrorData({ type, message, code, hint, stack }: ErrorData): Error {
  if (type === 'engine') {
    const options = hint === undefined ? {} : { hint };
    return new EngineError(code as EngineErrorCode, message, options);
  }
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return code === undefined ? error : Object.assign(error, { code });
}
