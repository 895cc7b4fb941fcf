// Where a request goes. Pure: the same question about the same node has the same answer, and
// waiting is asking again whenever the node has changed.
//
// Invariant: a request that was forwarded once is never forwarded again.

import { isReached, type Positions } from '@skein/client/peers';

import type { NodeView, PrimaryNode } from './node-view.ts';
import type { PathTest } from './patterns.ts';

export type RequestKind =
  /** Of no concern to the proxy: to the app, as it is. */
  | 'passthrough'
  /** For the proxy itself. */
  | 'health'
  | 'read'
  | 'write';

export interface PathRules {
  readonly isPassthrough: PathTest;
  readonly isAlwaysForwarded: PathTest;
}

export const HEALTH_PATHS: ReadonlySet<string> = new Set(['/skein/health', '/litefs/health']);

const READ_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** `path` without the query. */
export function classify(method: string, path: string, rules: PathRules): RequestKind {
  if (rules.isPassthrough(path)) return 'passthrough';
  const isRead = READ_METHODS.has(method);
  if (isRead && HEALTH_PATHS.has(path)) return 'health';
  return isRead && !rules.isAlwaysForwarded(path) ? 'read' : 'write';
}

export interface Question {
  readonly kind: Exclude<RequestKind, 'health'>;
  /** What the client has seen. */
  readonly wanted: Positions;
  /** Whether another proxy sent it here, taking us for the primary. */
  readonly isForwarded: boolean;
}

export type Refusal =
  /** Forwarded to a node that is not the primary. */
  | 'not-primary'
  /** There is no primary that could execute a write. */
  | 'no-primary'
  /** The client has seen more than we have, and there is no primary to ask. */
  | 'behind'
  /** It has been here before. */
  | 'loop';

export type Decision =
  /** To the app on this node. */
  | { readonly go: 'local' }
  /** To the primary's proxy. */
  | { readonly go: 'forward'; readonly primary: PrimaryNode }
  /** Nowhere. Final only when there is no time to wait: a change of the node may change it. */
  | { readonly go: 'refuse'; readonly reason: Refusal; readonly mayChange: boolean };

/** What of a node decides. */
export type DecidingView = Pick<NodeView, 'role' | 'primary' | 'position'>;

const LOCAL: Decision = { go: 'local' };

export function decide(question: Question, node: DecidingView): Decision {
  if (question.kind === 'passthrough' || node.role === 'primary') return LOCAL;
  if (question.isForwarded) return refuse('not-primary', false);
  if (question.kind === 'read' && hasSeen(node, question.wanted)) return LOCAL;
  if (node.role === 'replica' && node.primary !== undefined) {
    return { go: 'forward', primary: node.primary };
  }
  return refuse(question.kind === 'read' ? 'behind' : 'no-primary', true);
}

function refuse(reason: Refusal, mayChange: boolean): Decision {
  return { go: 'refuse', reason, mayChange };
}

/**
 * Whether waiting may give something better than `decision`: a read that the primary would have to
 * answer only because we are behind, or anything that would be refused for now.
 */
export function isWorthWaiting(question: Question, decision: Decision): boolean {
  if (decision.go === 'refuse') return decision.mayChange;
  // Nothing that comes here says that what had no room is reached.
  return decision.go === 'forward' && question.kind === 'read' && !question.wanted.isPartial;
}

/** Whether the node has everything that a client has seen. */
export function hasSeen(node: Pick<NodeView, 'position'>, wanted: Positions): boolean {
  if (wanted.isPartial) return false;
  for (const [database, position] of wanted.byDatabase) {
    if (!isReached(position, node.position(database))) return false;
  }
  return true;
}
