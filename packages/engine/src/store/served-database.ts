// A database as the mount, the log's keeper and the status see it, whoever may write to it: clients
// (DatabaseFiles) or the node alone (replica/replica-database.ts).

import type { FileOwner } from '../data-folder/owner-file.ts';
import type { Database } from '../database/database.ts';
import type { DatabaseState } from '../database/database-state.ts';
import type { EngineError } from '../errors.ts';
import type { MountFile } from '../files/mount-file.ts';
import type { Job } from '../jobs/jobs.ts';
import type { Pending } from '../jobs/pending.ts';
import type { SnapshotWal } from '../snapshot/snapshot.ts';

export interface ServedDatabase {
  readonly name: string;
  readonly database: Database;
  /** What is in the database file and the WAL: the state that readers see, or are about to. */
  readonly shownState: DatabaseState;
  /** The WAL beside it, where there is one. */
  readonly wal: SnapshotWal | undefined;
  readonly journal: MountFile | undefined;
  /** Undefined until somebody has made the database on this node. */
  readonly owner: FileOwner | undefined;
  setOwner(owner: FileOwner): void;
  /** Size of the main file as clients see it. */
  readonly sizeBytes: number;
  /** Cuts the main file. */
  truncate(sizeBytes: number): Pending | undefined;
  /** Whether a commit is in the log whose pages are not where a reader finds them. */
  readonly isBeingApplied: boolean;
  /** Why nothing is written any more. */
  readonly refusal: EngineError | undefined;
  refuseWrites(reason: EngineError): void;
  /** Gives up the transaction under way. */
  abandon(): Pending | undefined;
  /** Copies what may be from the WAL into the database file, where nobody else does. */
  completeFile(): Job<void>;
}
