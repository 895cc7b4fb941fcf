// One call for all who ask while another one is under way: those who answer thirty requests at the
// same time need not ask thirty times where the databases stand.
//
// Invariant: whoever asks gets what a call found that began after they asked.

export function shareCalls(call: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    running = call().finally(() => {
      running = undefined;
    });
    return running;
  };
  const startNext = (): Promise<void> => {
    next = undefined;
    return start();
  };
  return () => {
    if (running === undefined) return start();
    // One that failed, failed for those who asked before.
    next ??= running.then(startNext, startNext);
    return next;
  };
}
