// The part of the API by which an application follows its node:
//
//   GET /v1/state           what the node is, and where its databases stand for readers
//   GET /v1/state/follow    the same, and a line with what is another whenever it is, until the
//                           caller leaves; at least one a second
//   GET /v1/state/settled   the number of the line that tells of all that is committed by now
//
// Lines are numbered, for all who follow alike. Positions that a line does not name are as before.

import type { ServerResponse } from 'node:http';

import type { PrimaryStatus } from './cluster-status.ts';
import type { EventHub, Subscriber } from './events.ts';
import { sendJson, streamLines } from './reply.ts';

export interface StateLine {
  readonly seq: number;
  readonly name: string;
  readonly role: 'primary' | 'replica' | 'no-primary' | 'fenced';
  readonly epoch: number;
  /** For how long a replica has not known that it has everything. */
  readonly lagMs: number;
  /** Whom a replica follows. */
  readonly primary?: PrimaryStatus;
  /** null: the database is gone. */
  readonly positions: Readonly<Record<string, StatePosition | null>>;
}

export interface StatePosition {
  readonly epoch: number;
  /** Sixteen lowercase hexadecimal digits. */
  readonly txid: string;
}

export interface StateControl {
  readonly hub: Pick<EventHub<StateLine>, 'isFull' | 'subscriberCount'>;
  /** The whole state. */
  now(): StateLine;
  /** The whole state first. Returns what ends it. */
  follow(subscriber: Subscriber): () => void;
  settled(): Promise<number>;
}

/** All that an application may ask, which is told no secrets and can change nothing. */
export const APP_PATHS: ReadonlySet<string> = new Set([
  '/healthz',
  '/readyz',
  '/events',
  '/v1/state',
  '/v1/state/follow',
  '/v1/state/settled',
]);

export function answerState(state: StateControl, response: ServerResponse): void {
  sendJson(response, 200, state.now());
}

export function followState(state: StateControl, response: ServerResponse): void {
  streamLines(response, state.hub, (subscriber) => state.follow(subscriber));
}

export async function answerSettled(state: StateControl, response: ServerResponse): Promise<void> {
  sendJson(response, 200, { seq: await state.settled() });
}
