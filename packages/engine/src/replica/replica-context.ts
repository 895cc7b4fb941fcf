// What the databases of a replica share.

import type { EngineContext } from '../context.ts';
import type { BacklogMemory } from './backlog.ts';
import type { LogReader } from './logged.ts';
import type { ReplicaDatabase } from './replica-database.ts';

export interface ReplicaContext {
  readonly engine: EngineContext;
  readonly logReader: LogReader;
  readonly backlogMemory: BacklogMemory;
  readonly walBytesMax: number;
  /** Readers see a later state of it, or it is gone. */
  readonly onApplied: (database: ReplicaDatabase) => void;
  /** Something is in the way of applying: apply() is to be called again after a while. */
  readonly onWaiting: (database: ReplicaDatabase) => void;
}
