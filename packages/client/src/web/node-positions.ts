// What the node of an application knows of positions that clients carry: where a write has brought
// them, and what of theirs is over.

import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

import type { NodeView, Position } from '../node-view.ts';
import { NO_POSITIONS, onePosition, type Positions } from './positions.ts';

/** The file beside a database that says where it stands. */
const POSITION_SUFFIX = '-pos';
/** The TXID, which comes first in it. */
const TXID_LENGTH = 16;
const TXID = /^[0-9a-f]{16}$/;

/** Who does not know where a write went has the primary answer the client's reads. */
const UNKNOWN: Positions = { byDatabase: new Map(), isPartial: true };

/**
 * Where the database stands now, the write that the application has just committed included: the
 * mount itself says so, while news of the commit may still be on their way.
 */
export function writtenPositions(node: NodeView, database: string): Positions {
  const { epoch } = node.state;
  let digits: string;
  try {
    digits = readTxid(join(node.mountPath, `${database}${POSITION_SUFFIX}`));
  } catch (error) {
    // No such file: nothing was written yet, or this is a plain folder, where nobody waits.
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? NO_POSITIONS : UNKNOWN;
  }
  if (!TXID.test(digits)) return UNKNOWN;
  return onePosition(database, { epoch, txid: BigInt(`0x${digits}`) });
}

/** What of a client's position is of an epoch that is over, put right; undefined: nothing. */
export function maybeCorrected({ state }: NodeView, wanted: Positions): Positions | undefined {
  let isChanged = false;
  const byDatabase = new Map<string, Position>();
  for (const [database, position] of wanted.byDatabase) {
    const actual = state.position(database);
    const isRight = actual !== undefined && actual.epoch <= position.epoch;
    isChanged ||= !isRight;
    if (actual !== undefined) byDatabase.set(database, isRight ? position : actual);
  }
  return isChanged ? { byDatabase, isPartial: wanted.isPartial } : undefined;
}

/** In the fewest calls: each goes to the daemon and back. */
function readTxid(path: string): string {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(TXID_LENGTH);
    const length = readSync(fd, bytes);
    return bytes.toString('latin1', 0, length);
  } finally {
    closeSync(fd);
  }
}
