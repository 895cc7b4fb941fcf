// What an application imports: settings, its node, databases that know whether they may be written.

export {
  FencedError,
  findSkeinError,
  isSkeinError,
  NoPrimaryError,
  NOT_PRIMARY_MESSAGE,
  NotPrimaryError,
  type Outcome,
  OutcomeUnknownError,
  outcomeOf,
  type PrimaryAddress,
  SkeinError,
  type SkeinErrorCode,
} from './errors.ts';
export type {
  NodeEventName,
  NodeListener,
  NodeRole,
  NodeState,
  NodeView,
  Position,
  PositionTarget,
  WaitOptions,
} from './node-view.ts';
export { type ConnectOptions, connectNode, type NodeSettings } from './connect-node.ts';
export { type OpenOptions, openDatabase } from './open-database.ts';
export type {
  ColumnDefinition,
  RunResult,
  SkeinDatabase,
  SkeinStatement,
  SqlParameter,
  SqlValue,
  TransactionFunction,
  TransactionMode,
} from './database/shape.ts';
export { type SettingProblem, SettingsError } from './settings/errors.ts';
export { loadSettings, type Settings, type SettingsInput } from './settings/settings.ts';
export { toSkeinYaml } from './settings/skein-yaml.ts';
export {
  formatPositions,
  isReached,
  mergePositions,
  onePosition,
  parsePositions,
  type Positions,
} from './web/positions.ts';
export { carriedPositions } from './web/seen.ts';
