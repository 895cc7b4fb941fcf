// Ctrl-C in the middle of something that has to be put away: the signal becomes an abort, what is
// under way rejects, and the `finally` blocks do the rest.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly code = 'INTERRUPTED';
}

/** Aborted by the first signal that asks this process to end; a second one ends it at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of SIGNALS) {
    process.once(name, () => controller.abort(new Interrupted(`Interrupted by ${name}`)));
  }
  return controller.signal;
}
