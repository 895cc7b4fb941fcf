// The application as a process, on a plain folder.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import {
  freePorts,
  type MessagesApp,
  type MessagesAppOptions,
  migrateMessages,
  onTestEnd,
  startMessagesApp,
  tempDir,
} from '@skein/testkit';

interface Running {
  readonly app: MessagesApp;
  readonly options: MessagesAppOptions;
}

async function start(t: TestContext, isMigrated = true): Promise<Running> {
  const [port] = await freePorts(1);
  const options: MessagesAppOptions = {
    name: 'node1',
    mountPath: tempDir(t),
    dataPath: undefined,
    databaseName: 'db.sqlite3',
    host: '127.0.0.1',
    port: port!,
  };
  if (isMigrated) await migrateMessages(options);
  const app = await startMessagesApp(options);
  onTestEnd(t, () => app.kill());
  return { app, options };
}

async function create(
  { url }: MessagesApp,
  body?: string | Buffer<ArrayBuffer>,
): Promise<Response> {
  return fetch(`${url}/api/messages/create/`, {
    method: 'POST',
    ...(body !== undefined && { body }),
  });
}

async function get({ url }: MessagesApp, path: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}${path}`);
  const { timestamp, ...json } = (await response.json()) as Record<string, unknown>;
  assert(!Number.isNaN(Date.parse(String(timestamp))));
  return json;
}

test('The application keeps messages and says who executed them', async (t) => {
  const { app, options } = await start(t);
  const created = await create(app, '{"content": "Hello from node1"}');
  assert.equal(created.status, 201);
  const hello = { content: 'Hello from node1', node_name: 'node1' };
  assert.partialDeepStrictEqual(await created.json(), { success: true, message_id: 1, ...hello });
  await create(app, '{"content": "Another"}');
  assert.partialDeepStrictEqual(await get(app, '/api/messages/'), {
    node_name: 'node1',
    message_count: 2,
    messages: [
      { id: 2, content: 'Another' },
      { id: 1, ...hello },
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
    role: 'primary',
    primary: 'node1',
    database: `${options.mountPath}/db.sqlite3`,
    database_status: 'ok',
    message_count: 2,
  });
});

test('The application says what is wrong with a request', async (t) => {
  const { app } = await start(t);
  for (const body of [undefined, '', '{', 'null', '{}', '{"content": 3}', '{"content": "  "}']) {
    const response = await create(app, body);
    assert.equal(response.status, 400, body);
    assert.match(((await response.json()) as { error: string }).error, /JSON|blank/);
  }
  const latin1 = Buffer.from('{"content": "M\u00fcller"}', 'latin1');
  const unkept = [latin1, '{"content": "\\ud800"}'];
  for (const body of unkept) assert.equal((await create(app, body)).status, 400, String(body));
  const long = await create(app, JSON.stringify({ content: 'x'.repeat(70_000) }));
  assert.equal(long.status, 413);
  for (const method of ['GET', 'OPTIONS']) {
    const wrong = await fetch(`${app.url}/api/messages/create/`, { method });
    assert.equal(wrong.status, 405);
    assert.equal(wrong.headers.get('allow'), 'POST');
  }
  assert.equal((await fetch(`${app.url}/api/`)).status, 404);
  assert.deepEqual((await get(app, '/api/messages/'))['messages'], []);
});

test('The application is not healthy before the schema is there', async (t) => {
  const { app, options } = await start(t, false);
  const early = await fetch(`${app.url}/api/health/`);
  assert.equal(early.status, 503);
  assert.partialDeepStrictEqual(await early.json(), {
    status: 'starting',
    database_status: 'waits for migrations',
  });
  assert.equal((await fetch(`${app.url}/health/ready`)).status, 503);
  await migrateMessages(options);
  assert.equal((await fetch(`${app.url}/api/health/`)).status, 200);
  assert.equal((await fetch(`${app.url}/health/ready`)).status, 200);
});

test('The application ends when it is told to', async (t) => {
  const { app } = await start(t);
  // A connection that is kept, as the proxy's are, holds nothing up.
  await get(app, '/api/health/');
  await app.stop();
  await assert.rejects(fetch(`${app.url}/api/health/`));
});
