export type { BackgroundIo, Disk, DiskFile, DiskSpace, DiskStat, OpenMode } from './disk.ts';
export { type Clock, systemClock } from './clock.ts';
export { DiskError, SyscallError } from './errors.ts';
export type { FileLocks, LockHolder, LockKind } from './file-locks.ts';
export type { Log, LogFields, LogLevel } from './log.ts';
export type { Counter, Gauge, MetricLabels, Metrics } from './metrics.ts';
export { type Random, systemRandom } from './random.ts';
