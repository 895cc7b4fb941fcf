// What the main thread and the thread of the proxy tell each other. Plain data only.

import type { AddressInfo } from 'node:net';
import type { MessagePort } from 'node:worker_threads';

import type { NodeChange, ProxyErrorCode } from '@skein/proxy';

import type { ProxyConfig } from '../../config/cluster-config.ts';
import type { LogConfig } from '../../config/mount-config.ts';

export interface ProxyThreadData {
  readonly config: ProxyConfig;
  readonly nodeName: string;
  readonly secret: string | undefined;
  readonly log: LogConfig;
  readonly port: MessagePort;
}

export type ToProxy =
  /** The node is another one now, or its databases stand elsewhere. */
  | { readonly kind: 'change'; readonly change: NodeChange }
  /** All that was committed before the question has been told. */
  | { readonly kind: 'refreshed'; readonly id: number }
  | { readonly kind: 'gate-passed'; readonly id: number; readonly isReached: boolean }
  | { readonly kind: 'close' };

export type FromProxy =
  | {
      readonly kind: 'listening';
      readonly address: AddressInfo;
      readonly metrics: SharedArrayBuffer;
    }
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly code: ProxyErrorCode | undefined;
      readonly hint: string | undefined;
    }
  | { readonly kind: 'refresh'; readonly id: number }
  /** Whether the gate's number of replicas has these TXIDs. */
  | { readonly kind: 'gate'; readonly id: number; readonly txids: ReadonlyMap<string, bigint> }
  /** Nobody waits for the gate any more. */
  | { readonly kind: 'gate-left'; readonly id: number }
  | { readonly kind: 'closed' };
