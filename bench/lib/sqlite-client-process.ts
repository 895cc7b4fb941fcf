// The SQLite client whose work is measured: a process of its own, as an application would be, with
// a connection that stays open. It does the same on the bare disk and on the mount; the parent asks
// by messages, and the time is taken here.

import { DatabaseSync } from 'node:sqlite';

import type { ClientAnswer, ClientRequest } from './sqlite-client.ts';

const databases = new Map<string, DatabaseSync>();

function databaseAt(path: string): DatabaseSync {
  const known = databases.get(path);
  if (known !== undefined) return known;
  const opened = new DatabaseSync(path);
  databases.set(path, opened);
  return opened;
}

/** How many milliseconds it took. */
function perform(request: ClientRequest): number {
  const started = performance.now();
  switch (request.kind) {
    case 'exec':
      databaseAt(request.path).exec(request.sql);
      break;
    case 'repeat': {
      const statement = databaseAt(request.path).prepare(request.sql);
      const { count, parameterMax } = request;
      for (let i = 0; i < count; i += 1) statement.get((i % parameterMax) + 1);
      break;
    }
    case 'close':
      databases.get(request.path)?.close();
      databases.delete(request.path);
      break;
  }
  return performance.now() - started;
}

process.on('message', (request: ClientRequest) => {
  let answer: ClientAnswer;
  try {
    answer = { elapsedMs: perform(request) };
  } catch (error) {
    answer = { error: `${request.kind} on ${request.path}: ${(error as Error).message}` };
  }
  process.send!(answer);
});
