export { ApiClient, type Upload } from './api/client.ts';
export { ApiError, type ApiErrorCode } from './api/errors.ts';
export type {
  DatabaseStatus,
  LogStatus,
  NodeStatus,
  OnProgress,
  PassthroughStatus,
} from './api/node-control.ts';
export type { ConfigDraft } from './config/draft.ts';
export { ConfigError, type ConfigProblem } from './config/errors.ts';
export type { ConfigSources } from './config/load-config.ts';
export { type LoadedConfig, loadMountConfig } from './config/load-mount-config.ts';
export type { ExecCommand, HttpConfig, LogConfig, MountConfig } from './config/mount-config.ts';
export { type RunMountOptions, runMount } from './daemon/run-mount.ts';
export { SKEIN_VERSION } from './version.ts';
