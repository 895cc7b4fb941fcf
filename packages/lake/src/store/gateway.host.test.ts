import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';

import {
  type FaultProxy,
  hasPart,
  type ObjectStore,
  RecordingLog,
  requirePart,
  SeededRandom,
  startFaultProxy,
  startObjectStore,
  tempDir,
} from '@skein/testkit';

import { type Gateway, type GatewayConfig, startGateway } from './gateway.ts';

const MIB = 1024 * 1024;
const KEY = 'main/t/year=2024%2F1/data.parquet';
const SMALL_KEY = 'main/t/small.parquet';
const LIMITS = { silenceMs: 1000, attempts: 3, pauseMs: 1 };

/** Ten blocks and a bit. */
function content(): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(10 * MIB + 12_345);
  new SeededRandom(7).fill(bytes);
  return bytes;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

async function ask(
  { url, token }: Pick<Gateway, 'url' | 'token'>,
  path: string,
  { range, method = 'GET' }: { readonly range?: string; readonly method?: string } = {},
): Promise<Answer> {
  const headers = {
    Authorization: `Bearer ${token}`,
    ...(range === undefined ? {} : { Range: range }),
  };
  const response = await fetch(new URL(path, url), { method, headers });
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, body };
}

function assertSame(actual: Buffer, expected: Buffer): void {
  const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  assert.equal(actual.length, expected.length);
  assert.equal(hash(actual), hash(expected));
}

describe('startGateway()', () => {
  const bytes = content();
  let store: ObjectStore;
  let proxy: FaultProxy;

  const ends: (() => Promise<void>)[] = [];
  const suite = { after: (end: () => Promise<void>) => void ends.push(end) };

  after(async () => {
    for (const end of ends) await end();
  });

  before(async () => {
    if (!hasPart('radosgw')) return;
    store = await startObjectStore(suite);
    proxy = await startFaultProxy(suite, store.endpoint);
    await store.send('PUT', '/lake');
    await store.send('PUT', `/lake/a/${encodeURIComponent(KEY).replaceAll('%2F', '/')}`, bytes);
    await store.send('PUT', `/lake/a/${SMALL_KEY}`, Buffer.from('small'));
    await store.send('PUT', '/lake/other.parquet', Buffer.from('not of this lake'));
  });

  function configOf(t: TestContext, changes: Partial<GatewayConfig> = {}): GatewayConfig {
    const { region, accessKey, secretKey } = store;
    const s3 = { endpoint: proxy.endpoint, region, accessKey, secretKey, pathStyle: true };
    const log = new RecordingLog();
    const cacheFolder = changes.cacheFolder ?? tempDir(t);
    proxy.reset();
    const usual = { s3, dataPath: 's3://lake/a/', cacheBytesMax: 64 * MIB, log, limits: LIMITS };
    return { ...usual, ...changes, cacheFolder };
  }

  async function start(t: TestContext, changes?: Partial<GatewayConfig>): Promise<Gateway> {
    const gateway = await startGateway(configOf(t, changes));
    t.after(() => gateway.close());
    return gateway;
  }

  function gets(): string[] {
    return proxy.seen.filter(({ method }) => method === 'GET').map(({ range }) => range!);
  }

  test('gives an object as a whole and in ranges, with ETag and length', async (t) => {
    if (!requirePart(t, 'radosgw')) return;
    const gateway = await start(t);
    const whole = await ask(gateway, KEY);
    assert.equal(whole.status, 200);
    assertSame(whole.body, bytes);
    assert.match(whole.headers.get('etag')!, /^"[0-9a-f]{32}(-\d+)?"$/);
    const head = await ask(gateway, KEY, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), String(bytes.length));
    for (const [start, end] of [
      [0, 1],
      [MIB - 1, MIB + 1],
      [3, 5 * MIB],
      [bytes.length - 9, bytes.length],
    ] as const) {
      const part = await ask(gateway, KEY, { range: `bytes=${start}-${end - 1}` });
      assert.equal(part.status, 206);
      assert.equal(part.headers.get('content-range'), `bytes ${start}-${end - 1}/${bytes.length}`);
      assertSame(part.body, bytes.subarray(start, end));
    }
    assert.equal((await ask(gateway, KEY, { range: `bytes=${bytes.length}-` })).status, 416);
  });

  test('fetches what it does not have, once, blocks in a row with one request', async (t) => {
    if (!requirePart(t, 'radosgw')) return;
    const gateway = await start(t);
    const ranges = [
      [0, 10],
      [100, 5 * MIB],
      [2 * MIB, 3 * MIB],
      [0, bytes.length],
    ] as const;
    const askFor = async ([start, end]: readonly [number, number]): Promise<void> => {
      const { body } = await ask(gateway, KEY, { range: `bytes=${start}-${end - 1}` });
      assertSame(body, bytes.subarray(start, end));
    };
    await Promise.all(ranges.map(askFor));
    assert.equal(gateway.stats().fetchedBytes, bytes.length);
    assert.equal(proxy.seen.filter(({ method }) => method === 'HEAD').length, 1);
    const fetched = gets().length;
    assert(fetched <= 6, `${fetched} requests`);
    await Promise.all(ranges.map(askFor));
    assert.equal(gets().length, fetched);
    assert.equal(gateway.stats().fetchedBytes, bytes.length);
    assert(gateway.stats().hitCount >= 11);
  });

  test('has after a restart what it had, and checks it', async (t) => {
    if (!requirePart(t, 'radosgw')) return;
    const cacheFolder = tempDir(t);
    const first = await start(t, { cacheFolder });
    await ask(first, KEY);
    await first.close();
    const blocks = readdirSync(join(cacheFolder, 'blocks'), {
      recursive: true,
      withFileTypes: true,
    })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    assert.equal(blocks.length, 11);
    // One bit flips, one block lost its end in a power cut, one was never finished.
    const [flipped, short] = blocks;
    const damaged = readFileSync(flipped!);
    damaged[1000]! ^= 1;
    writeFileSync(flipped!, damaged);
    truncateSync(short!, 100);
    writeFileSync(`${short!}.1-1.tmp`, 'half');
    const second = await start(t, { cacheFolder });
    assert.notEqual(second.token, first.token);
    assertSame((await ask(second, KEY)).body, bytes);
    const { damagedCount, fetchedBytes, cachedBlocks } = second.stats();
    assert.equal(damagedCount, 2);
    assert(fetchedBytes <= 2 * MIB, String(fetchedBytes));
    assert.equal(cachedBlocks, 11);
    assert(
      !readdirSync(cacheFolder, { recursive: true }).some((name) => String(name).endsWith('.tmp')),
    );
  });

  test('keeps its bound, and gives what does not fit', async (t) => {
    if (!requirePart(t, 'radosgw')) return;
    const cacheFolder = tempDir(t);
    const gateway = await start(t, { cacheFolder, cacheBytesMax: 3 * MIB });
    for (let i = 0; i < 3; i += 1) assertSame((await ask(gateway, KEY)).body, bytes);
    const { cachedBytes, evictedCount } = gateway.stats();
    assert(cachedBytes <= 3 * MIB);
    assert(evictedCount > 0);
    await gateway.close();
    const tiny = await start(t, { cacheFolder, cacheBytesMax: 1000 });
    assert.equal(tiny.stats().cachedBytes, 0);
    assertSame((await ask(tiny, KEY)).body, bytes);
    assert.equal((await ask(tiny, SMALL_KEY)).body.toString(), 'small');
  });

  test('gives nothing without its token, and nothing beside the lake', async (t) => {
    if (!requirePart(t, 'radosgw')) return;
    const gateway = await start(t);
    const { url, token } = gateway;
    assert.match(token, /^[0-9a-f]{64}$/);
    for (const wrong of ['', '0'.repeat(64), token.slice(1)]) {
      assert.equal((await ask({ url, token: wrong }, SMALL_KEY)).status, 401);
    }
    assert.equal((await fetch(`${url}${SMALL_KEY}`)).status, 401);
    const outside = ['../other.parquet', '%2e%2e/other.parquet', '/other.parquet', '/', ''];
    for (const path of [...outside, `${SMALL_KEY}?x=1`, `${url}/other.parquet`]) {
      assert.equal((await ask(gateway, path)).status, 404, path);
    }
    for (const method of ['PUT', 'POST', 'DELETE']) {
      assert.equal((await ask(gateway, SMALL_KEY, { method })).status, 405);
    }
    assert.equal((await ask(gateway, SMALL_KEY)).body.toString(), 'small');
  });

  test('goes on after failures, cuts, short and slow answers and silence', async (t) => {
    if (!requirePart(t, 'radosgw')) return;
    const faults = [
      { kind: 'status', status: 503 },
      { kind: 'cut', afterBytes: 1_500_000 },
      { kind: 'cut', afterBytes: 0 },
      { kind: 'short', afterBytes: 1_100_000 },
      { kind: 'slow', pauseMs: 1 },
      { kind: 'silence' },
    ] as const;
    for (const fault of faults) {
      const gateway = await start(t);
      // Each range fails the first time that it is asked for.
      const ranges = new Set<string | undefined>();
      proxy.reset(({ range, method }) => {
        const isFirst = !ranges.has(`${method} ${range}`);
        ranges.add(`${method} ${range}`);
        return isFirst && (method === 'GET' || fault.kind === 'status') ? fault : undefined;
      });
      const answer = await ask(gateway, KEY);
      assert.equal(answer.status, 200, fault.kind);
      assertSame(answer.body, bytes);
      await gateway.close();
    }
  });

  test('says that it cannot when the store goes on failing', async (t) => {
    if (!requirePart(t, 'radosgw')) return;
    const log = new RecordingLog();
    const gateway = await start(t, { log });
    proxy.reset(() => ({ kind: 'status', status: 500 }));
    assert.equal((await ask(gateway, KEY)).status, 502);
    assert.equal(proxy.seen.length, LIMITS.attempts);
    // The beginning is there, the rest is not: what has begun does not look whole.
    proxy.reset(({ range = '' }) => {
      return range.startsWith(`bytes=${4 * MIB}-`) ? { kind: 'cut', afterBytes: 100 } : undefined;
    });
    await assert.rejects(ask(gateway, KEY), /terminated|fetch failed/);
    proxy.reset();
    assertSame((await ask(gateway, KEY)).body, bytes);
    const text = JSON.stringify(log.entries);
    assert(!text.includes(store.secretKey) && !text.includes(gateway.token));
  });

  test('never mixes two contents of one name', async (t) => {
    if (!requirePart(t, 'radosgw')) return;
    const gateway = await start(t);
    const key = 'main/t/changing.parquet';
    await store.send('PUT', `/lake/a/${key}`, Buffer.alloc(2 * MIB, 'a'));
    assert.equal((await ask(gateway, key, { range: 'bytes=0-0' })).body.toString(), 'a');
    await store.send('PUT', `/lake/a/${key}`, Buffer.alloc(3 * MIB, 'b'));
    // The second block is not there yet, and belongs to what is no more.
    await assert.rejects(ask(gateway, key, { range: `bytes=0-${2 * MIB - 1}` }));
    const again = await ask(gateway, key);
    assertSame(again.body, Buffer.alloc(3 * MIB, 'b'));
    await store.send('DELETE', `/lake/a/${key}`);
    const other = await start(t);
    assert.equal((await ask(other, key)).status, 404);
  });

  test('reports wrong keys as such, without showing them', async (t) => {
    if (!requirePart(t, 'radosgw')) return;
    const log = new RecordingLog();
    const config = configOf(t, { log });
    const gateway = await startGateway({ ...config, s3: { ...config.s3, secretKey: 'wrong-key' } });
    t.after(() => gateway.close());
    assert.equal((await ask(gateway, SMALL_KEY)).status, 403);
    assert(!JSON.stringify(log.entries).includes('wrong-key'));
  });

  test('does not share its folder with another gateway', async (t) => {
    if (!requirePart(t, 'radosgw')) return;
    const cacheFolder = tempDir(t);
    const gateway = await start(t, { cacheFolder });
    await assert.rejects(startGateway(configOf(t, { cacheFolder })), { code: 'LAKE_STORE_START' });
    await gateway.close();
    await start(t, { cacheFolder });
  });
});
