// What keeps a lake from its extensions and its objects.

import { CodedError } from '@skein/bytes';

export type StoreErrorCode =
  /** An extension of DuckDB is nowhere to be had. */
  | 'LAKE_EXTENSION_MISSING'
  /** The gateway or the ingress cannot listen, or a folder of the lake cannot be used. */
  | 'LAKE_STORE_START'
  /** The object store is configured in a way that cannot be. */
  | 'LAKE_STORE_CONFIG'
  /** The object store has answered what cannot be used, or not at all. */
  | 'LAKE_STORE_UNAVAILABLE';

export class StoreError extends CodedError<StoreErrorCode> {
  override readonly name = 'StoreError';
}
