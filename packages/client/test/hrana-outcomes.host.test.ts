// What is said of a request that got no answer of the server that it was for: something between
// the two has answered, or no address of its name.

import assert from 'node:assert/strict';
import dns from 'node:dns';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, test, type TestContext } from 'node:test';

import { onTestEnd, tempDir } from '@skein/testkit';

import { outcomeOf, type Outcome } from '../src/errors.ts';
import { type ForwardingDatabase, openForwarding } from '../src/hrana/open-forwarding.ts';
import { send } from '../src/web/forward.ts';
import { FakeNode } from './fake-node.ts';

type Answering = (response: ServerResponse, body: string) => void;

/** On a replica whose writes go to a server that answers so. */
async function startForwarding(t: TestContext, answering: Answering): Promise<ForwardingDatabase> {
  const server = createServer((request, response) => {
    void text(request).then((body) => answering(response, body));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestEnd(t, () => void server.close());
  const { port } = server.address() as AddressInfo;
  const node = new FakeNode(tempDir(t), 'replica');
  const url = `http://127.0.0.1:${port}`;
  const database = openForwarding(node, { database: 'app.db', url, driver: 'node:sqlite' });
  onTestEnd(t, () => database.close());
  return database;
}

describe('A write over HTTP', () => {
  const answers: readonly (readonly [Outcome, number, Readonly<Record<string, string>>, string])[] =
    [
      ['not-executed', 503, { 'skein-outcome': 'not-executed' }, '{"message":"full"}'],
      ['unknown', 503, {}, 'busy'],
      ['unknown', 500, {}, 'broken'],
      ['unknown', 504, {}, 'late'],
      ['unknown', 502, { 'skein-outcome': 'unknown' }, '{"message":"lost"}'],
      ['unknown', 200, {}, 'no JSON'],
      ['failed', 400, {}, '{"message":"malformed","code":"HRANA_MALFORMED"}'],
    ];
  for (const [outcome, status, headers, body] of answers) {
    const said = JSON.stringify(headers);
    test(`is ${outcome} after status ${status}, ${said}, ${body}`, async (t) => {
      const database = await startForwarding(t, (response) => {
        response.writeHead(status, headers).end(body);
      });
      const error: unknown = await database.execute('INSERT INTO t VALUES (1)').catch((e) => e);
      assert.ok(error instanceof Error);
      assert.equal(outcomeOf(error), outcome, String(error));
    });
  }

  test('is unknown in a transaction only after its caller has ended that', async (t) => {
    const database = await startForwarding(t, (response, body) => {
      if (body.includes('INSERT')) response.destroy();
      const result = { cols: [], rows: [], affected_row_count: 0, last_insert_rowid: null };
      const done = { type: 'ok', response: { type: 'execute', result } };
      response.end(JSON.stringify({ baton: 'held', base_url: null, results: [done] }));
    });
    const outcomeAfter = async (...before: readonly string[]): Promise<Outcome> => {
      const error: unknown = await database
        .transaction(async (transaction) => {
          for (const sql of before) await transaction.execute(sql);
          await transaction.execute('INSERT INTO t VALUES (1)');
        })
        .catch((thrown: unknown) => thrown);
      return outcomeOf(error);
    };
    assert.equal(await outcomeAfter('SELECT 1'), 'not-executed');
    assert.equal(await outcomeAfter('commit'), 'unknown');
  });

  test('leaves no stream behind of a transaction that could not begin', async (t) => {
    const bodies: string[] = [];
    const database = await startForwarding(t, (response, body) => {
      bodies.push(body);
      const busy = { type: 'error', error: { message: 'locked', code: 'SQLITE_BUSY' } };
      response.end(JSON.stringify({ baton: 'held', base_url: null, results: [busy] }));
    });
    await assert.rejects(
      database.transaction(() => assert.fail('It has not begun')),
      { code: 'SQLITE_BUSY' },
    );
    assert.deepEqual(JSON.parse(bodies[1] ?? 'null'), {
      baton: 'held',
      requests: [{ type: 'close' }],
    });
  });
});

test('A name of which no address is connected to has been sent nothing', async (t) => {
  const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
  t.mock.method(
    dns,
    'lookup',
    (_host: string, _options: object, told: (...all: unknown[]) => void) =>
      process.nextTick(told, null, addresses),
  );
  const { kind } = await send({
    to: new URL('http://node1.test:1'),
    method: 'POST',
    target: '/',
    headers: ['Host', 'node1.test', 'Content-Length', '0'],
    body: undefined,
    signal: new AbortController().signal,
  });
  assert.equal(kind, 'not-sent');
});
