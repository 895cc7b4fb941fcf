// What nodes, their proxies and their applications say to each other in headers, for whoever speaks
// with them: where a client stands, that a request was forwarded, what does not go on with it.

export type { NodeRole, Position } from '../node-view.ts';
export {
  formatHop,
  formatVia,
  type Hop,
  HOP_HEADER,
  isGoingRound,
  maybeParseHop,
  passedCount,
  type SignedRequest,
} from './hop.ts';
export { OF_ONE_CONNECTION } from './one-connection.ts';
export {
  formatPositions,
  isNothing,
  isReached,
  mergePositions,
  NO_POSITIONS,
  onePosition,
  parsePositions,
  type Positions,
  POSITIONS_COUNT_MAX,
  POSITIONS_LENGTH_MAX,
} from './positions.ts';
