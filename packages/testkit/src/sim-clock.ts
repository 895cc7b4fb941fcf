// A clock that stands still until the test moves it.

import assert from 'node:assert/strict';

import type { Clock } from '@skein/host';

/** An arbitrary but fixed start: 2026-01-01T00:00:00Z. */
const START_WALL_MS = 1_767_225_600_000;

export class SimClock implements Clock {
  #wallMs = START_WALL_MS;
  #monotonicMs = 0;

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Lets time pass. */
  advance(ms: number): void {
    assert(ms >= 0, `Time does not go back: ${ms} ms`);
    this.#wallMs += ms;
    this.#monotonicMs += ms;
  }

  /** Sets the wall clock ahead or back, as an administrator or NTP would; no time passes. */
  jumpWall(ms: number): void {
    this.#wallMs += ms;
  }
}
