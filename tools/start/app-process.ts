// Our end of message-app.ts: the application of one node, as a process.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import type { AppNotice, WriteNotice } from './message-app.ts';

export interface AppOptions {
  readonly nodeName: string;
  readonly databasePath: string;
  readonly port: number;
  /** It has executed a write. */
  readonly onWrite: (notice: WriteNotice) => void;
}

export interface App {
  stop(): Promise<void>;
}

/** Resolves when it listens; rejects when it ends instead. */
export async function startApp(options: AppOptions): Promise<App> {
  const { nodeName, databasePath, port, onWrite } = options;
  const script = join(import.meta.dirname, 'message-app.ts');
  const args = ['--database', databasePath, '--node', nodeName, '--port', String(port)];
  const flags = ['--disable-warning=ExperimentalWarning'];
  const child = spawn(process.execPath, [...flags, script, ...args], {
    // Its own process group: Ctrl-C in a terminal is ours, and we stop it in order.
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const isListening = new Promise<boolean>((resolve) => {
    child.on('message', (notice: AppNotice) => {
      if (notice.kind === 'listening') resolve(true);
      else onWrite(notice);
    });
    void ended.then(() => resolve(false));
  });
  if (!(await isListening)) throw new Error(`The application of ${nodeName} ended at its start`);
  return {
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
