// Time as a port, so that tests decide what time it is.

export interface Clock {
  /** Milliseconds since the Unix epoch, as the machine's clock says; may jump. */
  wallMs(): number;
  /** Milliseconds since some fixed moment; never goes back. For durations and deadlines. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
