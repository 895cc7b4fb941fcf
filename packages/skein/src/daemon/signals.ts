// Signals of a node: those that end it, and those that are for its command.

const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];
const FORWARDED: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'];

export interface TrappedSignals {
  /** Resolves when the node is to end; the command has not been told. */
  readonly ended: Promise<NodeJS.Signals>;
  release(): void;
}

export function trapSignals(forward: (signal: NodeJS.Signals) => void): TrappedSignals {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  for (const signal of ENDING) process.on(signal, resolve);
  for (const signal of FORWARDED) process.on(signal, forward);
  return {
    ended: promise,
    release: () => {
      for (const signal of ENDING) process.off(signal, resolve);
      for (const signal of FORWARDED) process.off(signal, forward);
    },
  };
}
