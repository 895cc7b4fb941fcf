// Our end of lag-client-process.ts.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export type LagRequest =
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly count: number;
      readonly perSecond: number;
    }
  | { readonly kind: 'watch'; readonly path: string; readonly count: number };

export type LagAnswer = { readonly times: readonly number[] } | { readonly error: string };

/** Runs one request in a process of its own; returns a time for each row. */
export async function askLagClient(
  request: LagRequest,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const script = join(import.meta.dirname, 'lag-client-process.ts');
  const flags = ['--disable-warning=ExperimentalWarning'];
  const child = spawn(process.execPath, [...flags, script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    signal,
    killSignal: 'SIGKILL',
  });
  child.send(request);
  const exited = once(child, 'exit').then(() => ({ error: 'The client of the bench has died' }));
  const answered = once(child, 'message').then(([answer]) => answer as LagAnswer);
  const answer = await Promise.race([answered, exited]);
  if ('error' in answer) throw new Error(answer.error);
  return answer.times;
}
