export { checkDeep, type CheckPorts } from './check/check-deep.ts';
export type {
  CheckOptions,
  CheckProgress,
  CheckReport,
  Finding,
  FindingKind,
  RepairReport,
} from './check/finding.ts';
export { repair, type RepairPorts } from './check/repair.ts';
export { type DatabaseImage, openImage } from './commit/image.ts';
export type { Role } from './commit/term.ts';
export { readAtomicFile, writeAtomicFile } from './data-folder/atomic-file.ts';
export { type DataFolder, openDataFolder } from './data-folder/data-folder.ts';
export type { FileOwner } from './data-folder/owner-file.ts';
export type { Database } from './database/database.ts';
export { type DatabaseState, NO_STATE } from './database/database-state.ts';
export { DEFAULT_ENGINE_OPTIONS, Engine, type EngineOptions } from './engine.ts';
export {
  DamageError,
  type DamagePlace,
  EngineError,
  type EngineErrorCode,
  LogFailedError,
} from './errors.ts';
export type { MountFile } from './files/mount-file.ts';
export {
  DATABASE_NAME_BYTES_MAX,
  type FileKind,
  type FileName,
  findNameFault,
  parseFileName,
} from './files/names.ts';
export type { Followed, FollowedFile, FollowedTransaction } from './follow/followed-transaction.ts';
export { type FollowedState, LogCatalog, type NamedState } from './follow/log-catalog.ts';
export { type FollowedLog, isTrimmed } from './follow/log-follower.ts';
export { type CursorStep, PeerCursor } from './follow/peer-cursor.ts';
export type { Job, JobStep } from './jobs/jobs.ts';
export { Pending } from './jobs/pending.ts';
export { PublishedLog } from './log/published-log.ts';
export type {
  ByteRange,
  ClientLocks,
  ClientMapping,
  ClientMemory,
  ContentPiece,
  EnginePorts,
  Exclusion,
  KernelCache,
  Presence,
  ReplicaLocks,
} from './ports.ts';
export type { Obstacle, ObstacleKind } from './replica/obstacle.ts';
export type {
  AppliedState,
  Reception,
  ReceivedLtx,
  ReceivedLtxFile,
  Replica,
} from './replica/replica.ts';
export type { OnTransfer } from './snapshot/export-file.ts';
export type { SnapshotTicket } from './snapshot/sent-snapshots.ts';
export type { Snapshot } from './snapshot/snapshot.ts';
export { SnapshotProgress } from './snapshot/snapshot-progress.ts';
export { DatabaseFiles } from './store/database-files.ts';
export type { Access, FileStore } from './store/file-store.ts';
export type { ImportOptions } from './store/import-file.ts';
export type { ServedDatabase } from './store/served-database.ts';
