// Ctrl-C, and whoever else wants a command to end early: what it would leave behind is removed
// first.

import { constants } from 'node:os';

type CleanUp = () => void;

export interface Interrupts {
  /** Has `cleanUp` run if the command is interrupted; the answer takes that back. */
  onInterrupt(cleanUp: CleanUp): () => void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** As shells tell it: a program that a signal ended has this and the signal's number. */
const SIGNAL_EXIT_CODE = 128;

/** Listens only once there is something to clean up: until then signals do what they always do. */
export function interruptible(exit: (exitCode: number) => void): Interrupts {
  const cleanUps = new Set<CleanUp>();
  const listen = (): void => {
    for (const signal of SIGNALS) {
      process.once(signal, () => {
        for (const cleanUp of cleanUps) cleanUp();
        exit(SIGNAL_EXIT_CODE + constants.signals[signal]);
      });
    }
  };
  let isListening = false;
  return {
    onInterrupt: (cleanUp) => {
      if (!isListening) listen();
      isListening = true;
      cleanUps.add(cleanUp);
      return () => cleanUps.delete(cleanUp);
    },
  };
}
