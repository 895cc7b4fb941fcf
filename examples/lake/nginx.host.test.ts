// nginx.conf, unchanged, before nodes that tell who they are: in a network of its own, where
// Docker's name server and the names of the services are played (test/nginx-in-a-network.ts).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

import { requirePart, SOURCE_FLAGS } from '@skein/testkit';

interface Report {
  readonly [step: string]: unknown;
}

test('nginx routes by /w/, finds readers that are added, and streams large uploads', async (t) => {
  if (!requirePart(t, 'nginx', 'root', 'nsenter', 'ip')) return;
  const script = join(import.meta.dirname, 'test', 'nginx-in-a-network.ts');
  const child = spawn('unshare', ['--net', process.execPath, ...SOURCE_FLAGS, script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await closed) as [number | null];
  assert.equal(code, 0, complaints);
  const report = JSON.parse(output) as Report;
  assert.equal(report['writer'], 'writer POST /q/ 5');
  // What is encoded in the path stays so.
  assert.equal(report['encoded'], 'writer GET /q/SELECT%20%27a%2Fb%27 0');
  assert.equal(report['reader'], 'reader1 GET /q/SELECT%201%2E5.csv 0');
  assert.deepEqual(report['scaled'], ['reader1', 'reader2', 'reader3']);
  assert.deepEqual(report['shrunk'], ['reader2', 'reader3']);
  assert.deepEqual(report['withDead'], ['reader2']);
  assert.equal(report['upload'], 'writer POST /upload/public/t 33554432');
  // The node had the beginning before the client had sent the end.
  assert.equal(report['isStreamed'], true);
  assert.equal(report['lostWrites'], 1);
});
