export { readAtomicFile, writeAtomicFile } from './atomic-file.ts';
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
export type { EnginePorts } from './context.ts';
export { type DataFolder, openDataFolder } from './data-folder.ts';
export type { Database } from './database.ts';
export { DatabaseFiles } from './database-files.ts';
export { type DatabaseState, NO_STATE } from './database-state.ts';
export { DEFAULT_ENGINE_OPTIONS, Engine, type EngineOptions } from './engine.ts';
export {
  DamageError,
  type DamagePlace,
  EngineError,
  type EngineErrorCode,
  LogFailedError,
} from './errors.ts';
export type { Followed, FollowedFile, FollowedTransaction } from './follow/followed-transaction.ts';
export { type FollowedState, LogCatalog, type NamedState } from './follow/log-catalog.ts';
export { type FollowedLog, isTrimmed } from './follow/log-follower.ts';
export { type CursorStep, PeerCursor } from './follow/peer-cursor.ts';
export { PublishedLog } from './follow/published-log.ts';
export type { SnapshotTicket } from './follow/sent-snapshots.ts';
export { SnapshotProgress } from './follow/snapshot-progress.ts';
export type { MountFile } from './files/mount-file.ts';
export { type DatabaseImage, openImage } from './image.ts';
export type { Job, JobStep } from './jobs.ts';
export {
  DATABASE_NAME_BYTES_MAX,
  type FileKind,
  type FileName,
  findNameFault,
  parseFileName,
} from './names.ts';
export type { FileOwner } from './owner-file.ts';
export { Pending } from './pending.ts';
export type {
  ByteRange,
  ClientLocks,
  ClientMapping,
  ClientMemory,
  ContentPiece,
  Exclusion,
  KernelCache,
  Presence,
  ReplicaLocks,
} from './ports.ts';
export type { Snapshot } from './snapshot.ts';
export type { ServedDatabase } from './served-database.ts';
export type { Access, FileStore } from './file-store.ts';
export type { Role } from './term.ts';
export type { Obstacle, ObstacleKind } from './replica/obstacle.ts';
export type {
  AppliedState,
  Reception,
  ReceivedLtx,
  ReceivedLtxFile,
  Replica,
} from './replica/replica.ts';
export type { ImportOptions, OnTransfer } from './transfer.ts';
