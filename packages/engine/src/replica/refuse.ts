// What clients get that write where only the primary may.

import { EngineError } from '../errors.ts';

/** SQLite takes it for a read-only file, and opens that for reading. */
export function replicaReadOnly(name: string): EngineError {
  return new EngineError('REPLICA_READ_ONLY', `Cannot write ${name}: this node is a replica`, {
    hint: 'Write on the primary, or through the proxy',
  });
}
