// One port for HTTP/1.1 and streams, with and without TLS.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get as getPlain, type IncomingMessage, request } from 'node:http';
import { get as getSecure } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { onTestEnd } from '@skein/testkit';

import type { TlsIdentity } from '../src/stream/tls-identity.ts';
import { eventually, eventuallyEqual, startPrimary, startReplica } from './fixture.ts';
import { MemoryDatabase } from './memory-database.ts';
import { MemoryLog } from './memory-log.ts';

const folder = join(import.meta.dirname, '..', 'testdata', 'tls');

function pem(name: string): string {
  return readFileSync(join(folder, name), { encoding: 'utf8' });
}

const NODE: TlsIdentity = { cert: pem('node.pem'), key: pem('node-key.pem'), ca: pem('ca.pem') };
const STRANGER: TlsIdentity = {
  cert: pem('stranger.pem'),
  key: pem('stranger-key.pem'),
  ca: pem('ca.pem'),
};

function logWithOne(): MemoryLog {
  const memory = new MemoryLog();
  memory.append('app.db', new MemoryDatabase().commit({ pgnos: [1], fill: 1 }));
  return memory;
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const bytes of response) text += String(bytes);
  return text;
}

describe('a listener', () => {
  test('answers HTTP/1.1 and serves streams on one port', async (t) => {
    const primary = await startPrimary(t, { memory: logWithOne() });
    const replica = startReplica(t, primary.url);
    await eventuallyEqual(primary.log, replica.log);
    for (let round = 0; round < 3; round += 1) {
      const [response] = (await once(getPlain(primary.url), 'response')) as [IncomingMessage];
      assert.equal(await textOf(response), 'over HTTP/1.1');
    }
  });

  test('says 426 to who asks for a stream by HTTP/1.1', async (t) => {
    const primary = await startPrimary(t);
    const url = new URL('/stream?filter=a', primary.url);
    const asked = request(url, { method: 'POST' }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    assert.equal(response.statusCode, 426);
    assert.equal(response.headers['skein-error'], 'STREAM_NEEDS_HTTP2');
    await textOf(response);
  });

  test('takes requests that come in any pieces', async (t) => {
    const primary = await startPrimary(t);
    for (const text of [
      'PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    ]) {
      const socket = connectTcp(primary.port, '127.0.0.1').setNoDelay();
      onTestEnd(t, () => {
        socket.destroy();
      });
      for (const char of text) {
        socket.write(char);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      const [bytes] = (await once(socket, 'data')) as [Buffer];
      assert.match(bytes.toString(), /^HTTP\/1\.1 200 OK\r\n/);
    }
  });

  test('closes connections that end, or break, before they say what they are', async (t) => {
    const primary = await startPrimary(t);
    for (const [text, end] of [
      ['', 'end'],
      ['P', 'end'],
      ['', 'resetAndDestroy'],
      ['PR', 'resetAndDestroy'],
    ] as const) {
      const socket = connectTcp(primary.port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(text);
      socket[end]();
      socket.resume();
      await once(socket, 'close');
    }
    let count = -1;
    await eventually(() => {
      primary.listener.getConnections((_error, found) => {
        count = found;
      });
      return count === 0;
    });
  });

  test('does both under TLS', async (t) => {
    const primary = await startPrimary(t, { memory: logWithOne(), tls: NODE });
    const replica = startReplica(t, primary.url, { tls: NODE });
    await eventuallyEqual(primary.log, replica.log);
    const asked = getSecure(primary.url, { ca: NODE.ca });
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    assert.equal(await textOf(response), 'over HTTP/1.1');
  });

  test('is refused by a replica that does not trust its certificate', async (t) => {
    const primary = await startPrimary(t, { memory: logWithOne(), tls: STRANGER });
    const replica = startReplica(t, primary.url, { tls: NODE });
    await eventually(() => replica.client.status.error?.code === 'PEER_TLS');
    assert.match(replica.client.status.error!.message, /certificate/);
  });

  test('lets in only who has a certificate that it trusts, if it is to', async (t) => {
    const tls = { ...NODE, verifiesPeers: true };
    const primary = await startPrimary(t, { memory: logWithOne(), tls });
    const stranger = startReplica(t, primary.url, { tls: STRANGER });
    await eventually(() => stranger.client.status.error?.code === 'PEER_UNREACHABLE');
    await eventually(() => primary.metrics.sum('skein_stream_errors_total', 'PEER_TLS') > 0);
    const replica = startReplica(t, primary.url, { tls: NODE });
    await eventuallyEqual(primary.log, replica.log);
    assert.equal(stranger.log.entries.length, 0);
  });

  test('has no streams for a replica that expects TLS, and the other way round', async (t) => {
    const plain = await startPrimary(t);
    const secure = await startPrimary(t, { tls: NODE });
    const first = startReplica(t, new URL(`https://127.0.0.1:${plain.port}`), { tls: NODE });
    const second = startReplica(t, new URL(`http://127.0.0.1:${secure.port}`));
    await eventually(() => first.client.status.error?.code === 'PEER_TLS');
    await eventually(() => second.client.status.error?.code === 'PEER_UNREACHABLE');
    await eventually(() => secure.metrics.sum('skein_stream_errors_total', 'PEER_TLS') > 0);
  });
});
