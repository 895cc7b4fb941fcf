// The API with a real node behind it, over its socket and over TCP.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { DEFAULT_ENGINE_OPTIONS } from '@skein/engine';
import { NOBODY, onTestEnd, RecordingLog, requirePart, startSqlite, tempDir } from '@skein/testkit';

import type { HttpConfig } from '../config/mount-config.ts';
import { OfflineNode } from '../offline/offline-node.ts';
import { ApiClient, isNobodyThere } from './client.ts';
import { ApiError } from './errors.ts';
import { EventHub } from './events.ts';
import { type ApiOptions, type ApiServer, startApi } from './server.ts';
import type { StateControl } from './state-routes.ts';

const SECRET = 'correct horse battery staple'.replaceAll(' ', '-');
const LOCAL: HttpConfig = { host: '127.0.0.1', port: 0, secret: undefined, isInsecure: false };
const GUARDED: HttpConfig = { ...LOCAL, secret: SECRET };

const STATE: StateControl = {
  hub: new EventHub(),
  now: () => ({ seq: 1, name: 'node1', role: 'primary', epoch: 1, lagMs: 0, positions: {} }),
  follow: () => () => {},
  settled: () => Promise.resolve(1),
};

interface TestApi {
  readonly folder: string;
  readonly dataFolder: string;
  readonly node: OfflineNode;
  readonly server: ApiServer;
  readonly client: ApiClient;
  readonly log: RecordingLog;
}

type Setup = Partial<Pick<ApiOptions, 'http' | 'uploadBytesMax' | 'stallMs'>> & {
  readonly dataName?: string;
};

async function start(t: TestContext, setup: Setup = {}): Promise<TestApi> {
  const { dataName = 'data', http, ...options } = setup;
  const folder = tempDir(t);
  const dataFolder = join(folder, dataName);
  mkdirSync(dataFolder, { recursive: true });
  const log = new RecordingLog();
  const node = OfflineNode.open({ ...DEFAULT_ENGINE_OPTIONS, dataFolder, mayCreate: true, log });
  onTestEnd(t, () => node.close());
  const state = (): Promise<StateControl> => Promise.resolve(STATE);
  const server = await startApi({ control: node, state, dataFolder, http, log, ...options });
  onTestEnd(t, () => server.close());
  return { folder, dataFolder, node, server, client: new ApiClient(dataFolder), log };
}

async function makeDatabase(t: TestContext, path: string, rowCount = 100): Promise<Buffer> {
  const client = startSqlite(t);
  await client.open(path);
  await client.exec('CREATE TABLE t(a, b)');
  await client.exec(
    'INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) ' +
      'SELECT i, randomblob(1000) FROM n',
    [rowCount],
  );
  await client.close();
  return readFileSync(path);
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** Over TCP, with whatever headers. */
function call({ server }: TestApi, path: string, options: Call = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port: server.tcp!.port, path, method, headers };
    const request = httpRequest(target, (response) => {
      text(response).then(
        (content) =>
          resolve({ status: response.statusCode!, headers: response.headers, body: content }),
        reject,
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

function codeOf({ body }: Answer): string {
  return (JSON.parse(body) as { code: string }).code;
}

function scratchOf({ dataFolder }: TestApi): string[] {
  // Overlays and the like are the engine's.
  return readdirSync(join(dataFolder, 'scratch')).filter((name) => name.startsWith('offline-'));
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!condition()) {
    assert.ok(performance.now() < deadlineMs, 'It did not come to that in time');
    await sleep(10);
  }
}

async function exported(client: ApiClient, name: string): Promise<Buffer> {
  const target = new PassThrough();
  const content = buffer(target);
  await client.exportDatabase(name, target);
  return content;
}

const isApiError =
  (code: string) =>
  (error: Error): boolean =>
    error instanceof ApiError && error.code === code;

describe('the API over its socket', () => {
  test('takes a database in and gives it back, byte by byte', async (t) => {
    if (!requirePart(t, 'python3')) return;
    const api = await start(t);
    const path = join(api.folder, 'a.db');
    const bytes = await makeDatabase(t, path, 2000);
    const sent: number[] = [];
    const imported = await api.client.importDatabase('my app.db', {
      content: createReadStream(path),
      sizeBytes: bytes.length,
      onProgress: (done, total) => {
        assert.equal(total, bytes.length);
        sent.push(done);
      },
    });
    assert.equal(imported.sizeBytes, bytes.length);
    assert.equal(sent.at(-1), bytes.length);
    assert.ok((await exported(api.client, 'my app.db')).equals(bytes));
    await until(() => scratchOf(api).length === 0);
    const status = await api.client.status();
    assert.deepEqual(status.databases, [imported]);
    assert.match(await api.client.metrics(), /^# HELP skein_/);
  });

  test('works below a path that is too long for the address of a socket', async (t) => {
    const api = await start(t, { dataName: `${'long/'.repeat(30)}data` });
    assert.ok(api.dataFolder.length > 150);
    assert.equal((await api.client.status()).dataFolder, api.dataFolder);
  });

  test('lets nobody else in', async (t) => {
    const { dataFolder } = await start(t);
    assert.equal(statSync(join(dataFolder, 'api.sock')).mode & 0o777, 0o600);
  });

  test('lets applications in whom the data folder lets pass, to their socket alone', async (t) => {
    if (!requirePart(t, 'root')) return;
    const { node: control, dataFolder, log } = await start(t);
    const listen = async (mode: number): Promise<string> => {
      chmodSync(dataFolder, mode);
      const server = await startApi({ control, dataFolder, http: undefined, log });
      const app = statSync(join(dataFolder, 'app.sock'));
      const all = statSync(join(dataFolder, 'api.sock'));
      await server.close();
      assert.equal(all.mode & 0o777, 0o600);
      return `${(app.mode & 0o777).toString(8)} ${app.gid}`;
    };
    chownSync(dataFolder, 0, NOBODY);
    assert.equal(await listen(0o710), `660 ${NOBODY}`);
    assert.equal(await listen(0o750), `660 ${NOBODY}`);
    assert.equal(await listen(0o711), `666 ${NOBODY}`);
    assert.equal(await listen(0o700), '600 0');
  });

  test('answers applications what they may ask, and nothing else', async (t) => {
    const { dataFolder } = await start(t);
    const ask = async (path: string, method = 'GET'): Promise<string> => {
      const socketPath = join(dataFolder, 'app.sock');
      const asked = httpRequest({ socketPath, path, method, agent: false }).end();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      const { code = 'none' } = JSON.parse(await text(response)) as { code?: string };
      return `${response.statusCode} ${code}`;
    };
    assert.equal(await ask('/healthz'), '200 none');
    assert.equal(await ask('/v1/state?any'), '200 none');
    assert.equal(await ask('/v1/status'), '403 API_FORBIDDEN');
    assert.equal(await ask('/v1/databases/a.db'), '403 API_FORBIDDEN');
    assert.equal(await ask('/v1/databases/a.db', 'PUT'), '403 API_FORBIDDEN');
    assert.equal(await ask('/cluster/node', 'POST'), '403 API_FORBIDDEN');
    assert.equal(await ask('/metrics'), '403 API_FORBIDDEN');
  });

  test('takes the place of a socket that a dead node left', async (t) => {
    const folder = tempDir(t);
    const dataFolder = join(folder, 'data');
    const log = new RecordingLog();
    const node = OfflineNode.open({ ...DEFAULT_ENGINE_OPTIONS, dataFolder, mayCreate: true, log });
    onTestEnd(t, () => node.close());
    for (let life = 0; life < 2; life += 1) {
      const server = await startApi({ control: node, dataFolder, http: undefined, log });
      onTestEnd(t, () => server.close());
    }
    assert.equal((await new ApiClient(dataFolder).status()).dataFolder, dataFolder);
  });

  test('is gone after its end', async (t) => {
    const { server, client, dataFolder } = await start(t);
    await server.close();
    assert.equal(existsSync(join(dataFolder, 'api.sock')), false);
    await assert.rejects(client.status(), isNobodyThere);
    await assert.rejects(new ApiClient('/nowhere').status(), isNobodyThere);
  });

  test('refuses names that cannot be, and databases that are not', async (t) => {
    const { client } = await start(t);
    const content = (): Readable => Readable.from([Buffer.alloc(10)]);
    for (const name of ['..', 'a/b', '../../etc/passwd', 'x-wal', '.x', 'x'.repeat(300), '']) {
      const upload = { content: content(), sizeBytes: 10 };
      await assert.rejects(
        client.importDatabase(name, upload),
        isApiError('API_BAD_REQUEST'),
        name,
      );
      await assert.rejects(exported(client, name), isApiError('API_BAD_REQUEST'), name);
    }
    await assert.rejects(exported(client, 'no.db'), isApiError('DATABASE_NOT_FOUND'));
  });

  test('refuses what is no database, of known size or not, and keeps nothing of it', async (t) => {
    const api = await start(t);
    for (const sizeBytes of [100_000, undefined]) {
      const content = Readable.from([Buffer.alloc(100_000)]);
      const attempt = api.client.importDatabase('a.db', { content, sizeBytes });
      await assert.rejects(attempt, isApiError('IMAGE_FORMAT'));
    }
    assert.deepEqual(scratchOf(api), []);
    assert.deepEqual((await api.client.status()).databases, []);
  });

  test('refuses what is too large before it is sent, or where it becomes so', async (t) => {
    const api = await start(t, { uploadBytesMax: 50_000 });
    let isRead = false;
    const known = Readable.from(
      (function* read() {
        isRead = true;
        yield Buffer.alloc(100_000);
      })(),
    );
    const attempt = api.client.importDatabase('a.db', { content: known, sizeBytes: 100_000 });
    await assert.rejects(attempt, isApiError('API_TOO_LARGE'));
    assert.equal(isRead, false);
    const pieces = Array.from({ length: 100 }, () => Buffer.alloc(10_000));
    const unknown = api.client.importDatabase('a.db', {
      content: Readable.from(pieces),
      sizeBytes: undefined,
    });
    await assert.rejects(unknown, isApiError('API_TOO_LARGE'));
    assert.deepEqual(scratchOf(api), []);
  });

  test('passes on that the file to be sent cannot be read', async (t) => {
    const api = await start(t);
    const content = createReadStream(join(api.folder, 'missing'));
    const attempt = api.client.importDatabase('a.db', { content, sizeBytes: 10 });
    await assert.rejects(attempt, { code: 'ENOENT' });
    await until(() => scratchOf(api).length === 0);
  });
});

describe('the API over TCP', () => {
  test('answers without a secret where none is configured', async (t) => {
    const api = await start(t, { http: LOCAL });
    for (const path of ['/healthz', '/metrics', '/v1/status']) {
      assert.equal((await call(api, path)).status, 200, path);
    }
    assert.deepEqual(JSON.parse((await call(api, '/healthz')).body), { status: 'ok' });
  });

  test('asks for the secret everywhere but for health', async (t) => {
    const api = await start(t, { http: GUARDED });
    assert.equal((await call(api, '/healthz')).status, 200);
    const wrong = [undefined, '', 'Bearer', `Bearer ${SECRET}x`, `bearer ${SECRET}`, SECRET];
    const paths = ['/metrics', '/v1/status', '/v1/databases/a.db', '/nothing', '/healthz/x'];
    for (const path of paths) {
      for (const authorization of wrong) {
        const headers = authorization === undefined ? {} : { authorization };
        const answer = await call(api, path, { headers });
        assert.equal(answer.status, 401, `${path} ${authorization}`);
        assert.equal(answer.headers['www-authenticate'], 'Bearer');
        assert.equal(codeOf(answer), 'API_UNAUTHORIZED');
      }
    }
    const headers = { authorization: `Bearer ${SECRET}` };
    assert.equal((await call(api, '/v1/status', { headers })).status, 200);
    assert.equal((await call(api, '/nothing', { headers })).status, 404);
    const logged = JSON.stringify(api.log.entries);
    assert.ok(!logged.includes(SECRET), 'The secret is in the log');
  });

  test('refuses web pages, and hosts that it is not', async (t) => {
    const api = await start(t, { http: LOCAL });
    const refused: Readonly<Record<string, string>>[] = [
      { host: 'evil.example' },
      { host: 'evil.example:80' },
      { host: '127.0.0.1.evil.example' },
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { host: 'evil.example', origin: 'http://evil.example' },
    ];
    for (const headers of refused) {
      const answer = await call(api, '/v1/status', { headers });
      assert.equal(answer.status, 403, JSON.stringify(headers));
    }
    const port = api.server.tcp!.port;
    for (const host of ['localhost', `LOCALHOST:${port}`, '127.0.0.1', `[::1]:${port}`]) {
      const headers = { host, origin: `http://${host}` };
      assert.equal((await call(api, '/v1/status', { headers })).status, 200, host);
    }
  });

  test('takes any name for itself from whoever knows the secret', async (t) => {
    const api = await start(t, { http: GUARDED });
    const headers = { host: 'node1:20202', authorization: `Bearer ${SECRET}` };
    assert.equal((await call(api, '/v1/status', { headers })).status, 200);
    const foreign = { ...headers, origin: 'http://evil.example' };
    assert.equal((await call(api, '/v1/status', { headers: foreign })).status, 403);
  });

  test('says what there is not, and what a path does not know', async (t) => {
    const api = await start(t, { http: LOCAL });
    for (const path of [
      '/',
      '/v1',
      '/v1/databases',
      '/v1/status/',
      '/constructor',
      '//x/healthz',
    ]) {
      assert.equal((await call(api, path)).status, 404, path);
    }
    assert.equal((await call(api, '/v1/databases/%zz')).status, 400);
    assert.equal((await call(api, '/v1/status?x=1')).status, 200);
    const answer = await call(api, '/v1/databases/a.db', { method: 'POST' });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers['allow'], 'GET, PUT');
    assert.equal((await call(api, '/v1/status', { method: 'constructor' })).status, 400);
  });

  test('tells length and position of a database that it sends', async (t) => {
    if (!requirePart(t, 'python3')) return;
    const api = await start(t, { http: LOCAL });
    const body = await makeDatabase(t, join(api.folder, 'a.db'));
    const put = await call(api, '/v1/databases/a.db', { method: 'PUT', body });
    assert.equal(put.status, 200);
    const { txid, checksum } = JSON.parse(put.body) as { txid: string; checksum: string };
    const got = await call(api, '/v1/databases/a.db');
    assert.equal(got.headers['content-length'], String(body.length));
    assert.equal(got.headers['skein-position'], `${txid}/${checksum}`);
  });

  test('answers an upload that it refuses, though the caller sends on', async (t) => {
    const api = await start(t, { http: GUARDED });
    const body = Buffer.alloc(4 * 1024 * 1024);
    const answer = await call(api, '/v1/databases/a.db', { method: 'PUT', body });
    assert.equal(answer.status, 401);
    assert.deepEqual(scratchOf(api), []);
  });

  test('keeps nothing of an upload that breaks off', async (t) => {
    const api = await start(t, { http: LOCAL });
    const socket = connect(api.server.tcp!.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      'PUT /v1/databases/a.db HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n',
    );
    socket.write(Buffer.alloc(5000));
    await until(() => scratchOf(api).length === 1);
    socket.destroy();
    await until(() => scratchOf(api).length === 0);
    assert.deepEqual((await api.client.status()).databases, []);
  });

  test('gives up an upload that stands still', async (t) => {
    const api = await start(t, { http: LOCAL, stallMs: 100 });
    const socket = connect(api.server.tcp!.port, '127.0.0.1');
    const closed = new Promise((resolve) => {
      socket.on('close', resolve).on('error', () => {});
    });
    socket.write(
      'PUT /v1/databases/a.db HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n',
    );
    await closed;
    await until(() => scratchOf(api).length === 0);
  });

  test('removes its file when a caller goes away in the middle of an export', async (t) => {
    if (!requirePart(t, 'python3')) return;
    const api = await start(t, { http: LOCAL });
    const path = join(api.folder, 'a.db');
    const { length } = await makeDatabase(t, path, 20_000);
    await api.client.importDatabase('a.db', { content: createReadStream(path), sizeBytes: length });
    const socket = connect(api.server.tcp!.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET /v1/databases/a.db HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await new Promise((resolve) => {
      socket.once('data', resolve);
    });
    assert.equal(scratchOf(api).length, 1);
    socket.destroy();
    await until(() => scratchOf(api).length === 0);
  });

  test('has no more than a few transfers under way', async (t) => {
    const api = await start(t, { http: LOCAL });
    const head =
      'PUT /v1/databases/a.db HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n';
    const sockets = Array.from({ length: 4 }, () => {
      const socket = connect(api.server.tcp!.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(head);
      socket.write('x');
      return socket;
    });
    await until(() => scratchOf(api).length === 4);
    const answer = await call(api, '/v1/databases/a.db');
    assert.equal(answer.status, 503);
    assert.equal(codeOf(answer), 'API_BUSY');
    assert.equal(answer.headers['retry-after'], '1');
    for (const socket of sockets) socket.destroy();
    await until(() => scratchOf(api).length === 0);
    assert.equal((await call(api, '/v1/databases/a.db')).status, 404);
  });

  test('survives what is no HTTP', async (t) => {
    const api = await start(t, { http: LOCAL });
    for (const garbage of [
      '\0\0\0',
      'GET\r\n\r\n',
      `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
    ]) {
      const socket = connect(api.server.tcp!.port, '127.0.0.1');
      const closed = new Promise((resolve) => {
        socket.on('close', resolve).on('error', () => {});
      });
      socket.resume();
      socket.write(garbage);
      await closed;
    }
    assert.equal((await call(api, '/healthz')).status, 200);
  });

  test('says when its port is taken, and leaves no socket', async (t) => {
    const { server, folder, node, log } = await start(t, { http: LOCAL });
    const { port } = server.tcp!;
    const dataFolder = join(folder, 'other');
    mkdirSync(dataFolder);
    const options = { control: node, dataFolder, http: { ...LOCAL, port }, log };
    await assert.rejects(startApi(options), (error: ApiError) => {
      assert.equal(error.message, `Cannot listen on 127.0.0.1:${port}: EADDRINUSE`);
      return error.code === 'API_LISTEN';
    });
    assert.deepEqual(readdirSync(dataFolder), []);
  });

  test('ends though a caller holds on to a request', async (t) => {
    const api = await start(t, { http: LOCAL });
    const socket = connect(api.server.tcp!.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      'PUT /v1/databases/a.db HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\nx',
    );
    await until(() => scratchOf(api).length === 1);
    const startedMs = performance.now();
    await api.server.close();
    // It would wait for twice as long for the rest of the upload.
    assert.ok(performance.now() - startedMs < 30_000);
  });
});
