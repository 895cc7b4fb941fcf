// What X-Skein-Position holds: how far the catalog is, for a client to hand to another node.
//
// `<snapshot>` alone on a file without replication, `<snapshot>.<epoch>.<txid>` on a mount; decimal
// numbers. Snapshots are the lake's own count, epoch and transaction the catalog's in the cluster.

import { LakeError } from './errors.ts';
import type { CatalogPosition } from './ports.ts';

const TOKEN = /^(\d{1,19})(?:\.(\d{1,15})\.(\d{1,20}))?$/;

export interface PositionToken {
  readonly snapshot: bigint;
  readonly catalog: CatalogPosition | undefined;
}

export function formatPosition(token: PositionToken): string {
  const { snapshot, catalog } = token;
  if (catalog === undefined) return String(snapshot);
  return `${snapshot}.${catalog.epoch}.${catalog.txid}`;
}

/** Throws LAKE_POSITION. */
export function parsePosition(text: string): PositionToken {
  const match = TOKEN.exec(text.trim());
  if (match === null) {
    throw new LakeError('plan', 'LAKE_POSITION', 'The position is not one that a lake has given');
  }
  const [, snapshot, epoch, txid] = match;
  return {
    snapshot: BigInt(snapshot!),
    catalog: epoch === undefined ? undefined : { epoch: Number(epoch), txid: BigInt(txid!) },
  };
}
