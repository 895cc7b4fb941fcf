export {
  bumpChangeCounter,
  bumpSchemaCookie,
  DATABASE_HEADER_SIZE,
  databasePageCount,
  decodeDatabaseHeader,
  isDatabaseHeader,
  setHeaderMode,
  type DatabaseHeader,
  type HeaderMode,
} from './database-header.ts';
export {
  SqliteFormatError,
  type SqliteFileKind,
  type SqliteFormatCode,
  type SqliteFormatFault,
} from './errors.ts';
export {
  decodeJournalHeader,
  encodeJournalHeader,
  findJournalHeaderFault,
  hasJournalMagic,
  isZeroedJournalHeader,
  JOURNAL_HEADER_SIZE,
  JOURNAL_MAGIC,
  journalChecksum,
  journalRecordSize,
  RECORDS_TO_END,
  type JournalHeader,
} from './journal-header.ts';
export { openHotJournal, type HotJournal, type JournalRecord } from './journal-playback.ts';
export {
  lockPgno,
  PENDING_BYTE,
  RESERVED_BYTE,
  SHARED_FIRST,
  SHARED_SIZE,
  WAL_CKPT_LOCK,
  WAL_DMS_LOCK,
  WAL_READ_LOCK_COUNT,
  WAL_READ_LOCK_FIRST,
  WAL_RECOVER_LOCK,
  WAL_WRITE_LOCK,
} from './lock-bytes.ts';
export { isPageSize, PAGE_SIZE_MAX, PAGE_SIZE_MIN } from './page-size.ts';
export {
  decodeSuperJournal,
  encodeSuperJournal,
  encodeSuperJournalPointer,
  parseSuperJournalName,
  readSuperJournalName,
} from './super-journal.ts';
export { newWalChecksum, updateWalChecksum, type WalChecksum } from './wal-checksum.ts';
export {
  WAL_FRAME_HEADER_SIZE,
  WalChain,
  walFrameAt,
  walFrameCommit,
  walFrameOffset,
  walFramePgno,
} from './wal-frame.ts';
export {
  decodeWalHeader,
  encodeWalHeader,
  readWalHeader,
  WAL_HEADER_SIZE,
  type WalHeader,
} from './wal-header.ts';
export {
  appendToWalIndex,
  findWalFrame,
  removeFromWalIndex,
  WAL_INDEX_BLOCK_SIZE,
  walHashSlot,
  walIndexBlock,
  walIndexBlockOf,
  type WalIndexBlock,
  type WalSnapshot,
} from './wal-index-block.ts';
export { commitToWalIndex, type WalTransaction } from './wal-index-commit.ts';
export {
  READ_MARK_NOT_USED,
  readWalCheckpointInfo,
  readWalIndexHeader,
  WAL_ATTEMPTED_OFFSET,
  WAL_BACKFILL_OFFSET,
  WAL_INDEX_COPY_SIZE,
  WAL_INDEX_HEADER_SIZE,
  WAL_READ_MARKS_OFFSET,
  WAL_READ_MARKS_SIZE,
  writeWalCheckpointInfo,
  writeWalIndexHeader,
  type WalCheckpointInfo,
  type WalIndexHeader,
} from './wal-index-header.ts';
export { restartWalIndex, type WalRestart } from './wal-index-restart.ts';
export { readWalFrames, type WalFrame } from './wal-reader.ts';
