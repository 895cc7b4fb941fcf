// Our end of sqlite-client-process.ts.

import { spawn } from 'node:child_process';
import { join } from 'node:path';

export type ClientRequest =
  | { readonly kind: 'exec'; readonly path: string; readonly sql: string }
  | {
      /** One statement with one parameter, many times: 1 to `parameterMax`, then again from 1. */
      readonly kind: 'repeat';
      readonly path: string;
      readonly sql: string;
      readonly count: number;
      readonly parameterMax: number;
    }
  | { readonly kind: 'close'; readonly path: string };

export type ClientAnswer = { readonly elapsedMs: number } | { readonly error: string };

export interface SqliteClient extends Disposable {
  /** Does one thing at a time; returns how many milliseconds it took the client. */
  ask(request: ClientRequest): Promise<number>;
}

export interface ClientOptions {
  /** The only CPU that the client may use. */
  readonly cpu?: number | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
}

export function startSqliteClient({ cpu, signal }: ClientOptions): SqliteClient {
  const script = join(import.meta.dirname, 'sqlite-client-process.ts');
  const pinning = cpu === undefined ? [] : ['taskset', '--cpu-list', String(cpu)];
  const flags = ['--disable-warning=ExperimentalWarning'];
  const [program, ...args] = [...pinning, process.execPath, ...flags, script];
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  return {
    ask(request) {
      return new Promise((resolve, reject) => {
        const onExit = (): void => reject(signal.reason ?? new Error('The SQLite client died'));
        child.once('exit', onExit);
        child.once('message', (answer: ClientAnswer) => {
          child.off('exit', onExit);
          if ('error' in answer) reject(new Error(answer.error));
          else resolve(answer.elapsedMs);
        });
        child.send(request);
      });
    },
    [Symbol.dispose]() {
      signal.removeEventListener('abort', kill);
      kill();
    },
  };
}
