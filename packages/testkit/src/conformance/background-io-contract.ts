// What every BackgroundIo must do, told as tests that any implementation can run.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';

import type { BackgroundIo } from '@skein/host';

import type { DiskSetup } from './disk-contract.ts';

export interface BackgroundSetup extends DiskSetup {
  readonly background: BackgroundIo;
  /** Returns when all jobs requested so far have been reported. */
  readonly settle: () => void;
}

type Case = (setup: BackgroundSetup) => void;

export function testBackgroundIo(name: string, setUp: (t: TestContext) => BackgroundSetup): void {
  void describe(`${name} keeps the contract of BackgroundIo`, () => {
    for (const [title, run] of Object.entries(CASES)) {
      void test(title, (t) => run(setUp(t)));
    }
  });
}

const CASES: Record<string, Case> = {
  'jobs are reported in order, once each, and never before the caller asks': (setup) => {
    const { disk, folder, background, settle } = setup;
    const file = disk.open('test.open', `${folder}/a`, 'create');
    const reported: (number | Error)[] = [];
    for (let job = 0; job < 5; job += 1) {
      const report = (error: Error | undefined): void => void reported.push(error ?? job);
      if (job % 2 === 0) background.sync('test.sync', file, report);
      else background.fill('test.fill', file, { from: 0, to: 10 }, report);
    }
    assert.deepEqual(reported, []);
    settle();
    assert.deepEqual(reported, [0, 1, 2, 3, 4]);
    settle();
    assert.equal(reported.length, 5);
    file.close();
  },

  'fill() writes zeros in its range and nowhere else': (setup) => {
    const { disk, folder, background } = setup;
    const file = disk.open('test.open', `${folder}/a`, 'create');
    // More than one piece, neither end on a border.
    const [from, to] = [3, 2 * 1024 * 1024 + 5];
    const written = new Uint8Array(to + 3).fill(7);
    file.write('test.write', written, 0, written.length, 0);
    expectNoError(setup, (done) => background.fill('test.fill', file, { from, to }, done));
    written.fill(0, from, to);
    const into = new Uint8Array(written.length + 1);
    assert.equal(file.read('test.read', into, 0, into.length, 0), written.length);
    assert.deepEqual(into.subarray(0, written.length), written);
    file.close();
  },

  'fill() past the end extends the file': (setup) => {
    const { disk, folder, background } = setup;
    const file = disk.open('test.open', `${folder}/a`, 'create');
    expectNoError(setup, (done) =>
      background.fill('test.fill', file, { from: 4096, to: 3_000_000 }, done),
    );
    assert.equal(file.size('test.size'), 3_000_000);
    file.close();
  },

  'a job that fails reports its operation, its path and the errno': (setup) => {
    const { disk, folder, background, settle } = setup;
    disk.open('test.open', `${folder}/a`, 'create').close();
    const file = disk.open('test.open', `${folder}/a`, 'read');
    const errors: (Error | undefined)[] = [];
    background.fill('test.fill', file, { from: 0, to: 1 }, (error) => errors.push(error));
    background.sync('test.sync', file, (error) => errors.push(error));
    settle();
    assert.equal(errors.length, 2);
    const [error] = errors;
    assert.ok(error !== undefined);
    const { name, code, op, path } = error as Error & Record<string, unknown>;
    assert.deepEqual(
      { name, code, op, path },
      { name: 'DiskError', code: 'EBADF', op: 'test.fill', path: `${folder}/a` },
    );
    assert.equal(errors[1], undefined);
    file.close();
  },

  'a report may request the next job': (setup) => {
    const { disk, folder, background, settle } = setup;
    const file = disk.open('test.open', `${folder}/a`, 'create');
    let reports = 0;
    const next = (): void => {
      reports += 1;
      if (reports < 3) background.sync('test.sync', file, next);
    };
    background.sync('test.sync', file, next);
    for (let round = 0; round < 3; round += 1) settle();
    assert.equal(reports, 3);
    file.close();
  },

  'ranges that cannot be are refused at once': ({ disk, folder, background }) => {
    const file = disk.open('test.open', `${folder}/a`, 'create');
    for (const [from, to] of [
      [2, 1],
      [-1, 1],
      [0, 0.5],
    ] as const) {
      const request = (): void =>
        background.fill('test.fill', file, { from, to }, () => assert.fail('reported'));
      assert.throws(request, RangeError);
    }
    file.close();
  },
};

function expectNoError(
  { settle }: BackgroundSetup,
  request: (done: (error: Error | undefined) => void) => void,
): void {
  const errors: (Error | undefined)[] = [];
  request((error) => errors.push(error));
  settle();
  assert.deepEqual(errors, [undefined]);
}
