// Replication between nodes.

export type {
  FollowOptions,
  LogCursor,
  LogItem,
  LogSink,
  LogSource,
  PositionMap,
  ReceivedFile,
  ReceivedTransaction,
  SentFile,
  SentTransaction,
} from './ports.ts';
