// What a node of a cluster is, and what it may do, as a pure function of what it has learned.
//
// A candidate (its own name is the primary's) goes through
//
//   checking -> acquiring -> leading -> fenced
//
// and a follower stays one: with a static lease another configuration, and a restart, are what
// changes that. While a conflict with a peer is known the role is no-primary in every phase.
//
// Invariants:
// - A node accepts writes only while it leads, knows of no conflict and of no higher epoch.
// - It begins to lead in an epoch above every one that it had seen, after it has asked every peer
//   it knows, and none of those that answered is ahead of it (but by force). For the one that led
//   before it waits a while, if that does not answer.
// - Fenced is final.

import { assert } from '@skein/bytes';

import {
  fenced,
  findConflict,
  isStranger,
  peerAhead,
  peersUnheard,
  primaryAwaited,
  type Self,
} from './blockers.ts';
import type { ClusterError } from './errors.ts';
import type { NodeRole, PeerAddress, PeerHello } from './peer.ts';

export interface NodeSettings extends Self {
  /** Leads although a peer is ahead. */
  readonly isForced: boolean;
  /** A peer that was not heard of for so long does not count. */
  readonly peerTimeoutMs: number;
  /** So long after a lease could not be had it is asked for again. */
  readonly retryMs: number;
  /** So long a candidate waits for the node that led before it. */
  readonly awaitMs: number;
}

export type NodePhase = 'checking' | 'acquiring' | 'leading' | 'fenced' | 'following';

/** How a follower is connected to the primary. */
export type Link =
  | 'none'
  | 'connected'
  /** It has all that the primary had when it connected. */
  | 'caught-up';

export interface SeenPeer {
  readonly hello: PeerHello;
  readonly seenMs: number;
  /** A database of which it has more than this node; undefined: none, or it is not known. */
  readonly aheadIn: string | undefined;
}

/** The node that led before this one is to. */
export interface AwaitedPrimary {
  readonly peer: PeerAddress;
  /** Undefined until time is known to pass. */
  readonly untilMs: number | undefined;
  /** It has not said what it has, and is not waited for any longer. */
  readonly isMissed: boolean;
}

export interface NodeState {
  readonly settings: NodeSettings;
  readonly phase: NodePhase;
  /** The highest that was seen anywhere; not below the own one. */
  readonly epoch: number;
  /** The own one, while leading and after. */
  readonly term: number | undefined;
  readonly link: Link;
  /** Peers that were heard of lately, by the id of the node. */
  readonly peers: ReadonlyMap<string, SeenPeer>;
  /** URLs of known peers that have neither answered nor failed to since the start. */
  readonly unheard: ReadonlySet<string>;
  /** Undefined: nobody, or it has said what it has. */
  readonly awaited: AwaitedPrimary | undefined;
  readonly fence: ClusterError | undefined;
  /** When the lease may be asked for again. */
  readonly retryAtMs: number;
}

export type NodeInput =
  /** Time has passed; the URLs of all peers that are asked from time to time. */
  | { readonly kind: 'tick'; readonly known: readonly string[] }
  /** A peer said what it is, asked or not. */
  | {
      readonly kind: 'peer';
      readonly hello: PeerHello;
      /** Where it was asked; undefined: it came by itself. */
      readonly url?: string;
      /** URLs of peers of which nobody had told before: they are going to be asked. */
      readonly news: readonly string[];
      /** What comparing its positions gave; undefined: they are not known. */
      readonly comparison?: { readonly aheadIn: string | undefined };
    }
  /** A peer was asked and did not answer. */
  | { readonly kind: 'silent'; readonly url: string }
  | { readonly kind: 'acquired'; readonly epoch: number }
  | { readonly kind: 'not-acquired' }
  | { readonly kind: 'lease-lost'; readonly error: ClusterError }
  | { readonly kind: 'link'; readonly link: Link }
  | { readonly kind: 'cluster-id'; readonly clusterId: string };

export type NodeEffect =
  /** To be answered by 'acquired' or 'not-acquired'. */
  | { readonly kind: 'acquire'; readonly aboveEpoch: number }
  | { readonly kind: 'release' }
  /** An epoch that must not be forgotten. */
  | { readonly kind: 'remember-epoch'; readonly epoch: number };

export interface NodeStep {
  readonly state: NodeState;
  readonly effects: readonly NodeEffect[];
}

export interface FirstState {
  readonly settings: NodeSettings;
  readonly isCandidate: boolean;
  /** As it was stored. */
  readonly epoch: number;
  /** URLs of the peers that the node remembers. */
  readonly known: readonly string[];
  /** Whom the node followed last, unless it has led since. */
  readonly lastPrimary?: PeerAddress | undefined;
}

export function firstState(first: FirstState): NodeState {
  const { settings, isCandidate, epoch, known, lastPrimary } = first;
  const isAwaited = isCandidate && lastPrimary !== undefined && !settings.isForced;
  return {
    settings,
    phase: isCandidate ? 'checking' : 'following',
    epoch,
    term: undefined,
    link: 'none',
    peers: new Map(),
    unheard: new Set(isCandidate ? known : []),
    awaited: isAwaited ? { peer: lastPrimary, untilMs: undefined, isMissed: false } : undefined,
    fence: undefined,
    retryAtMs: 0,
  };
}

/** What becomes of a node by one input, and what is to be done about it. */
export function step(before: NodeState, input: NodeInput, nowMs: number): NodeStep {
  const learned = awaitPrimary(forgetPeers(learn(before, input, nowMs), nowMs), nowMs);
  const { state, effects } = decide(learned, nowMs);
  const isRaised = state.epoch > before.epoch && state.epoch !== state.term;
  if (!isRaised) return { state, effects };
  return { state, effects: [...effects, { kind: 'remember-epoch', epoch: state.epoch }] };
}

export function roleOf(state: NodeState): NodeRole {
  if (state.phase === 'fenced') return 'fenced';
  if (conflictsOf(state).length > 0) return 'no-primary';
  if (state.phase === 'leading') return 'primary';
  return state.phase === 'following' && state.link !== 'none' ? 'replica' : 'no-primary';
}

/** Why the node does not do what it is configured for; empty while it does. */
export function blockersOf(state: NodeState): readonly ClusterError[] {
  const { fence, settings, unheard, awaited, phase } = state;
  const conflicts = conflictsOf(state);
  if (fence !== undefined) return [fence, ...conflicts];
  if (phase !== 'checking') return conflicts;
  const ahead = settings.isForced ? [] : peersAheadOf(state);
  const isWaiting = awaited !== undefined && !awaited.isMissed;
  const waiting = isWaiting ? [primaryAwaited(settings, awaited.peer)] : [];
  const asking = unheard.size === 0 ? [] : [peersUnheard(settings, [...unheard])];
  return [...conflicts, ...ahead, ...waiting, ...asking];
}

function conflictsOf({ settings, peers }: NodeState): ClusterError[] {
  return [...peers.values()].flatMap(({ hello }) => findConflict(settings, hello) ?? []);
}

function peersAheadOf({ settings, peers }: NodeState): ClusterError[] {
  return [...peers.values()].flatMap(({ hello, aheadIn }) =>
    aheadIn === undefined ? [] : [peerAhead(settings, hello, aheadIn)],
  );
}

function learn(state: NodeState, input: NodeInput, nowMs: number): NodeState {
  switch (input.kind) {
    case 'tick':
      return { ...state, unheard: state.unheard.intersection(new Set(input.known)) };
    case 'peer':
      return learnOfPeer(state, input, nowMs);
    case 'silent':
      return { ...state, unheard: state.unheard.difference(new Set([input.url])) };
    case 'acquired':
      assert(state.phase === 'acquiring', 'A lease comes to who has asked for it');
      // A higher epoch has shown up meanwhile: once more, above that.
      if (input.epoch <= state.epoch) return { ...state, phase: 'checking' };
      return { ...state, phase: 'leading', term: input.epoch, epoch: input.epoch };
    case 'not-acquired':
      return {
        ...state,
        phase: state.phase === 'acquiring' ? 'checking' : state.phase,
        retryAtMs: nowMs + state.settings.retryMs,
      };
    case 'lease-lost':
      return state.phase === 'leading' ? { ...state, phase: 'fenced', fence: input.error } : state;
    case 'link':
      return { ...state, link: input.link };
    case 'cluster-id':
      return { ...state, settings: { ...state.settings, clusterId: input.clusterId } };
  }
}

function learnOfPeer(
  state: NodeState,
  { hello, url, news, comparison }: Extract<NodeInput, { kind: 'peer' }>,
  nowMs: number,
): NodeState {
  const { settings } = state;
  const isOther = hello.nodeId !== settings.nodeId && !isStranger(settings, hello);
  const heard = url === undefined ? state.unheard : state.unheard.difference(new Set([url]));
  if (!isOther) return { ...state, unheard: heard };
  const known = state.peers.get(hello.nodeId);
  const aheadIn = comparison === undefined ? known?.aheadIn : comparison.aheadIn;
  const peers = new Map(state.peers).set(hello.nodeId, { hello, seenMs: nowMs, aheadIn });
  return {
    ...state,
    peers,
    awaited: isAwaitedAnswer(state, hello, comparison) ? undefined : state.awaited,
    epoch: Math.max(state.epoch, hello.epoch),
    // Peers that only a peer knows are asked as well before the node leads.
    unheard: state.phase === 'checking' ? heard.union(new Set(news)) : heard,
  };
}

/** What it has is what counts, not that it is there. */
function isAwaitedAnswer(
  { awaited }: NodeState,
  { name }: PeerHello,
  comparison: { readonly aheadIn: string | undefined } | undefined,
): boolean {
  return name === awaited?.peer.name && comparison !== undefined;
}

function awaitPrimary(state: NodeState, nowMs: number): NodeState {
  const { awaited, settings } = state;
  if (awaited === undefined || awaited.isMissed) return state;
  const untilMs = awaited.untilMs ?? nowMs + settings.awaitMs;
  return { ...state, awaited: { ...awaited, untilMs, isMissed: nowMs >= untilMs } };
}

function forgetPeers(state: NodeState, nowMs: number): NodeState {
  const oldestMs = nowMs - state.settings.peerTimeoutMs;
  const recent = [...state.peers].filter(([, { seenMs }]) => seenMs >= oldestMs);
  return recent.length === state.peers.size ? state : { ...state, peers: new Map(recent) };
}

function decide(state: NodeState, nowMs: number): NodeStep {
  const { phase, epoch, term, retryAtMs } = state;
  if (phase === 'leading') {
    assert(term !== undefined, 'Who leads has a term');
    const rival = findRival(state, term);
    if (rival === undefined) return { state, effects: [] };
    const fence = fenced(state.settings, rival, term);
    return { state: { ...state, phase: 'fenced', fence }, effects: [{ kind: 'release' }] };
  }
  const mayAcquire = phase === 'checking' && nowMs >= retryAtMs && blockersOf(state).length === 0;
  if (!mayAcquire) return { state, effects: [] };
  return {
    state: { ...state, phase: 'acquiring' },
    effects: [{ kind: 'acquire', aboveEpoch: epoch }],
  };
}

/** A peer that knows of a later term, or believes itself primary in this very one. */
function findRival({ peers }: NodeState, term: number): PeerHello | undefined {
  const hellos = [...peers.values()].map(({ hello }) => hello);
  return hellos.find(({ epoch, role }) => epoch > term || (epoch === term && role === 'primary'));
}
