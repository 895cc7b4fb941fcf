export type { BackgroundIo, Disk, DiskFile, DiskSpace, DiskStat, OpenMode } from './disk.ts';
export { checkFileRange, checkSize, checkTransfer } from './disk-range.ts';
export { nodeDisk } from './node-disk.ts';
export { NodeBackgroundIo, type NodeBackgroundIoOptions } from './node-background-io.ts';
export { type Clock, systemClock } from './clock.ts';
export { createNodeLog, type LogFormat, type NodeLogOptions } from './node-log.ts';
export { type MetricKind, type MetricSample, NodeMetrics, readMetrics } from './node-metrics.ts';
export { formatPrometheus, PROMETHEUS_CONTENT_TYPE } from './prometheus.ts';
export { DiskError, SyscallError } from './errors.ts';
export { HelperThread, helperThreadData, type HelperThreadOptions } from './helper-thread.ts';
export type { FileLocks, LockHolder, LockKind } from './file-locks.ts';
export type { Log, LogFields, LogLevel } from './log.ts';
export type { Counter, Gauge, MetricLabels, Metrics } from './metrics.ts';
export { formatCount, formatDuration, formatSize, parseDuration, parseSize } from './quantities.ts';
export { type Random, systemRandom } from './random.ts';
export { nodeFileLocks } from './node-file-locks.ts';
export {
  createEventfd,
  drainEventfd,
  ioctl,
  Poller,
  readDescriptor,
  setNonBlocking,
  signalEventfd,
  writeDescriptor,
} from './syscalls/descriptors.ts';
export { ERRNO, errnoName, type ErrnoName } from './syscalls/errno.ts';
export { mapFile, type MappedFile, trimMemory } from './syscalls/memory.ts';
export {
  detachTarget,
  MNT_DETACH,
  MNT_FORCE,
  type MountCall,
  mountFilesystem,
  MS_NODEV,
  MS_NOSUID,
  UMOUNT_NOFOLLOW,
  unmountTarget,
} from './syscalls/mounts.ts';
export { makeThreadIdle, pinThreadToCpu } from './syscalls/scheduling.ts';
export { createSocketPair, tryReceiveDescriptor } from './syscalls/sockets.ts';
