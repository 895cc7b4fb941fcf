// Ctrl-C in the middle of something that has to be put away: the signal becomes an abort, what is
// under way rejects, and the `finally` blocks do the rest.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One Ctrl-C may come twice: from the terminal, and passed on by the parent. */
const ECHO_MS = 1000;

export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly code = 'INTERRUPTED';
}

/** Aborted by the first signal that asks this process to end; the next one ends it at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  let abortedMs = 0;
  const interrupt = (name: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      abortedMs = performance.now();
      controller.abort(new Interrupted(`Interrupted by ${name}`));
    } else if (performance.now() - abortedMs > ECHO_MS) {
      for (const each of SIGNALS) process.off(each, interrupt);
      process.kill(process.pid, name);
    }
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  return controller.signal;
}
