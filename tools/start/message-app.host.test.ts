import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';

import { freePorts, onTestEnd, tempDir } from '@skein/testkit';

import type { AppNotice } from './message-app.ts';

interface App {
  readonly child: ChildProcess;
  readonly url: string;
  readonly path: string;
  readonly notices: AppNotice[];
}

/** `path` may be a URI of SQLite's. */
async function startApp(
  t: TestContext,
  path: string = join(tempDir(t), 'db.sqlite3'),
): Promise<App> {
  const [port] = await freePorts(1);
  const script = join(import.meta.dirname, 'message-app.ts');
  const args = ['--database', path, '--node', 'node1', '--port', String(port)];
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, ...args],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  );
  onTestEnd(t, () => void child.kill('SIGKILL'));
  const notices: AppNotice[] = [];
  child.on('message', (notice: AppNotice) => notices.push(notice));
  await once(child, 'message');
  return { child, url: `http://127.0.0.1:${port}`, path, notices };
}

async function post(app: App, body: string): Promise<{ status: number; json: object }> {
  const response = await fetch(`${app.url}/api/messages/create/`, { method: 'POST', body });
  return { status: response.status, json: (await response.json()) as object };
}

async function get(app: App, path: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${app.url}${path}`);
  assert.equal(response.status, 200);
  const { timestamp, ...json } = (await response.json()) as Record<string, unknown>;
  assert(!Number.isNaN(Date.parse(String(timestamp))));
  return json;
}

test('The application keeps messages and says who wrote them', async (t) => {
  const app = await startApp(t);
  const { status, json } = await post(app, '{"content": "Hello from node1"}');
  assert.equal(status, 201);
  const created = { content: 'Hello from node1', node_name: 'node1' };
  assert.partialDeepStrictEqual(json, { success: true, message_id: 1, ...created });
  await post(app, '{"content": "Another"}');
  const listed = await get(app, '/api/messages/');
  assert.partialDeepStrictEqual(listed, {
    node_name: 'node1',
    message_count: 2,
    messages: [
      { id: 2, content: 'Another' },
      { id: 1, ...created },
    ],
  });
  assert.deepEqual(await get(app, '/api/stats/'), {
    node_name: 'node1',
    total_messages: 2,
    by_node: { node1: 2 },
  });
  assert.deepEqual(await get(app, '/api/health/'), {
    status: 'healthy',
    node_name: 'node1',
    database: app.path,
    message_count: 2,
  });
  const host = new URL(app.url).host;
  assert.deepEqual(app.notices[1], { kind: 'write', messageId: 1, host });
});

test('The application says what is wrong with a request', async (t) => {
  const app = await startApp(t);
  for (const body of ['', '{', 'null', '{}', '{"content": 3}', '{"content": "  "}']) {
    const { status, json } = await post(app, body);
    assert.equal(status, 400, body);
    assert.match((json as { error: string }).error, /JSON|blank/);
  }
  assert.equal((await post(app, JSON.stringify({ content: 'x'.repeat(70_000) }))).status, 413);
  assert.equal((await fetch(`${app.url}/api/messages/create/`)).status, 405);
  assert.equal((await fetch(`${app.url}/api/`)).status, 404);
  assert.deepEqual((await get(app, '/api/messages/'))['messages'], []);
});

test('A database that may not be written is a replica, not a stack trace', async (t) => {
  const path = join(tempDir(t), 'db.sqlite3');
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE message (id INTEGER PRIMARY KEY, content, node_name, created_at)');
  database.exec("INSERT INTO message VALUES (1, 'Hello', 'node2', '')");
  database.close();
  // Refuses every write with SQLITE_READONLY, as a replica's mount does.
  const app = await startApp(t, `file:${path}?mode=ro`);
  const { status, json } = await post(app, '{"content": "x"}');
  assert.equal(status, 503);
  assert.partialDeepStrictEqual(json, { error: 'Write operation attempted on replica node' });
  assert.equal((await get(app, '/api/messages/'))['message_count'], 1);
  assert.equal(app.notices.length, 1);
});

test('A database that is not there yet is told as ill health, then found', async (t) => {
  const path = join(tempDir(t), 'db.sqlite3');
  const app = await startApp(t, `file:${path}?mode=ro`);
  assert.match(String((await get(app, '/api/health/'))['status']), /^error: unable to open/);
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE message (id INTEGER PRIMARY KEY, content, node_name, created_at)');
  database.close();
  assert.equal((await get(app, '/api/health/'))['status'], 'healthy');
});

test('The application ends when it is told to, and when its parent is gone', async (t) => {
  const told = await startApp(t);
  // A connection that is kept, as the proxy's are, holds nothing up.
  await get(told, '/api/health/');
  told.child.kill('SIGTERM');
  assert.deepEqual(await once(told.child, 'exit'), [0, null]);
  const left = await startApp(t);
  left.child.disconnect();
  assert.deepEqual(await once(left.child, 'exit'), [0, null]);
});
