// What the daemon and the process that serves SQL tell each other. Plain data only.

import type { NodeChange, SqlServerErrorCode } from '@skein/hrana';
import type { AddressInfo } from 'node:net';

import type { LogConfig } from '../../config/mount-config.ts';
import type { SqlConfig } from '../../config/sql-config.ts';

export interface SqlSettings {
  readonly config: SqlConfig;
  readonly nodeName: string;
  /** The mountpoint. */
  readonly folder: string;
  readonly log: LogConfig;
}

export type ToSql =
  /** Once, as the first. */
  | { readonly kind: 'start'; readonly settings: SqlSettings }
  /** The node is another one now, or its databases stand elsewhere. */
  | { readonly kind: 'change'; readonly change: NodeChange }
  | { readonly kind: 'close' };

export type FromSql =
  | { readonly kind: 'listening'; readonly address: AddressInfo }
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly code: SqlServerErrorCode | undefined;
      readonly hint: string | undefined;
    };
