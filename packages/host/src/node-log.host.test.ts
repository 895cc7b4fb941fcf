import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';

import { onTestEnd, SimClock, tempDir } from '@skein/testkit';

import type { Log } from './log.ts';
import { createNodeLog, type NodeLogOptions } from './node-log.ts';

function record(t: TestContext, options: NodeLogOptions): { log: Log; lines: () => string[] } {
  const path = join(tempDir(t), 'log');
  const fd = openSync(path, 'a');
  onTestEnd(t, () => closeSync(fd));
  const log = createNodeLog({ clock: new SimClock(), ...options, fd });
  return { log, lines: () => readFileSync(path, 'utf8').split('\n').slice(0, -1) };
}

describe('createNodeLog()', () => {
  test('writes text for people, quoting only what needs it', (t) => {
    const { log, lines } = record(t, {});
    log.info('Ready');
    log.with({ database: 'my app.db', path: '/data' }).warn('Disk is full', {
      txid: 2n ** 60n,
      isFinal: true,
      empty: '',
      quoted: 'a"b',
      absent: undefined,
    });
    assert.deepEqual(lines(), [
      '2026-01-01T00:00:00.000Z INFO  Ready',
      '2026-01-01T00:00:00.000Z WARN  Disk is full database="my app.db" path=/data ' +
        'txid=1152921504606846976 isFinal=true empty="" quoted="a\\"b"',
    ]);
  });

  test('writes JSON for machines', (t) => {
    const { log, lines } = record(t, { format: 'json' });
    log.error('Sync failed', { txid: 5n, count: 3, level: 'mine', absent: undefined });
    assert.deepEqual(JSON.parse(lines()[0]!), {
      time: '2026-01-01T00:00:00.000Z',
      level: 'error',
      message: 'Sync failed',
      txid: '5',
      count: 3,
      level_: 'mine',
    });
  });

  test('leaves out what is below its level', (t) => {
    const { log, lines } = record(t, { level: 'warn' });
    log.debug('debug');
    log.info('info');
    log.warn('warn');
    log.with({}).error('error');
    assert.deepEqual(
      lines().map((line) => line.split(' ').at(-1)),
      ['warn', 'error'],
    );
  });

  test('keeps secrets out, whoever passes them', (t) => {
    const { log, lines } = record(t, {});
    log.with({ sharedSecret: 'abc' }).info('Start', { AuthToken: 'def', tokenFile: undefined });
    assert.deepEqual(lines(), [
      '2026-01-01T00:00:00.000Z INFO  Start sharedSecret=[redacted] AuthToken=[redacted]',
    ]);
  });

  test('a message stays on its line, and a terminal obeys nothing in it', (t) => {
    for (const format of ['text', 'json'] as const) {
      const { log, lines } = record(t, { format });
      log.info('one\ntwo\u001B[2J', { name: 'three\nfour\u009B2J' });
      assert.equal(lines().length, 1);
      assert.match(lines()[0]!, /one\\ntwo\\u001[bB]\[2J.*three\\nfour/);
      assert.equal(format === 'text' && /\p{Cc}/u.test(lines()[0]!), false);
    }
  });

  test('colours the level only when asked or on a terminal', (t) => {
    const plain = record(t, {});
    plain.log.warn('Slow');
    assert.equal(plain.lines()[0]!.includes('\u001B'), false);
    const coloured = record(t, { isColoured: true });
    coloured.log.warn('Slow');
    assert.deepEqual(coloured.lines(), ['2026-01-01T00:00:00.000Z \u001B[33mWARN \u001B[0m Slow']);
  });

  test('never throws: a log that cannot be written is not the problem of who writes it', () => {
    createNodeLog({ fd: 1_000_000 }).error('Nobody hears this');
  });

  test('lines of several threads do not mix', async (t) => {
    const path = join(tempDir(t), 'log');
    const fd = openSync(path, 'a');
    onTestEnd(t, () => closeSync(fd));
    const script = `
      const { workerData } = require('node:worker_threads');
      import(workerData.module).then(({ createNodeLog }) => {
        const log = createNodeLog({ fd: workerData.fd });
        for (let line = 0; line < 300; line += 1) log.info('x'.repeat(900));
      });
    `;
    const workerData = { module: new URL('node-log.ts', import.meta.url).href, fd };
    const workers = [1, 2].map(() => new Worker(script, { eval: true, workerData }));
    await Promise.all(workers.map((worker) => new Promise((done) => worker.once('exit', done))));
    const written = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    assert.equal(written.length, 600);
    for (const line of written) assert.match(line, /^\S+Z INFO {2}x{900}$/);
  });
});
