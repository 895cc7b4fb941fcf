// What a replica tells of itself on its mount, read as programs read it.

import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { hasPart, onTestEnd, requirePart, type TestScope } from '@skein/testkit';

import type { NodeShownState } from '../src/mount/shown-state.ts';
import { eventually } from './eventually.ts';
import { type NodePair, startPair } from './node-pair.ts';
import { runBadly, runWell } from './programs.ts';

const SHOWN: NodeShownState = {
  role: 'replica',
  primaryName: 'node1',
  heardMs: undefined,
  statusJson: '{"node":"node2"}',
};

describe('The files that tell of a node', () => {
  const scope: TestScope = { after };
  onTestEnd(scope, () => {});
  let pair: NodePair;
  before(async () => {
    if (hasPart('fuse') && hasPart('root')) pair = await startPair(scope);
  });

  const pathOf = (name: string): string => pair.replica.path(name);
  const read = (name: string): string => readFileSync(pathOf(name), 'latin1');

  test('are not there before there is anything to tell, nor on the primary', (t) => {
    if (!requirePart(t, 'fuse', 'root')) return;
    for (const { mountpoint } of [pair.replica, pair.primary]) {
      assert.deepEqual(readdirSync(mountpoint), []);
    }
    // The kernel remembers that there is none.
    assert.equal(existsSync(pathOf('.primary')), false);
  });

  test('come, change and go, whatever the kernel remembers', async (t) => {
    if (!requirePart(t, 'fuse', 'root')) return;
    const shows = async (primaryName: string | undefined): Promise<void> => {
      await pair.show({ ...SHOWN, primaryName });
      const isShown = (): boolean =>
        primaryName === undefined
          ? !existsSync(pathOf('.primary'))
          : existsSync(pathOf('.primary')) && read('.primary') === `${primaryName}\n`;
      await eventually(`.primary says ${primaryName}`, isShown);
    };
    for (let round = 0; round < 5; round++) {
      for (const name of ['node1', 'a-much-longer-name', 'b', undefined, undefined]) {
        await shows(name);
      }
    }
    await shows('node1');
    assert.equal(statSync(pathOf('.primary')).size, 'node1\n'.length);
  });

  test('tell the lag as LiteFS does', async (t) => {
    if (!requirePart(t, 'fuse', 'root')) return;
    await pair.show(SHOWN);
    assert.equal(read('.lag'), '+2147483647');
    assert.equal(statSync(pathOf('.lag')).mtimeMs, 0);
    const heardMs = Date.now() - 60_000;
    await pair.show({ ...SHOWN, heardMs });
    assert.match(read('.lag'), /^\+00006\d{4}\n$/);
    assert.equal(statSync(pathOf('.lag')).mtimeMs, heardMs);
    assert.equal(statSync(pathOf('.lag')).size, 11);
    await pair.show({ ...SHOWN, role: 'primary', primaryName: undefined });
    assert.equal(read('.lag'), '+000000000\n');
    await pair.show(SHOWN);
  });

  test('have the status in a folder, whole for who has it open', async (t) => {
    if (!requirePart(t, 'fuse', 'root')) return;
    await pair.show(SHOWN);
    assert.deepEqual(readdirSync(pathOf('.skein')), ['status.json']);
    assert.equal(runWell('cat', [pathOf('.skein/status.json')]), SHOWN.statusJson);

    const long = JSON.stringify({ text: 'x'.repeat(300_000) });
    await pair.show({ ...SHOWN, statusJson: long });
    const fd = openSync(pathOf('.skein/status.json'), 'r');
    await pair.show(SHOWN);
    const bytes = Buffer.alloc(400_000);
    let length = 0;
    for (let count = -1; count !== 0; length += count) {
      count = readSync(fd, bytes, length, 4096, length);
    }
    closeSync(fd);
    assert.equal(bytes.toString('latin1', 0, length), `${long}\n`);
    assert.equal(read('.skein/status.json'), `${SHOWN.statusJson}\n`);
  });

  test('are listed and looked at like any file', async (t) => {
    if (!requirePart(t, 'fuse', 'root')) return;
    await pair.show(SHOWN);
    const listed = runWell('ls', ['-lA', pair.replica.mountpoint]).split('\n').slice(1);
    const modes = listed.map((line) => [line.split(/\s+/)[0], line.split(/\s+/).at(-1)]);
    assert.deepEqual(modes, [
      ['-r--r--r--', '.lag'],
      ['-r--r--r--', '.primary'],
      ['dr-xr-xr-x', '.skein'],
    ]);
    const found = runWell('find', [pair.replica.mountpoint, '-type', 'f', '-name', '*.json']);
    assert.equal(found, pathOf('.skein/status.json'));
    assert.equal(runWell('sh', ['-c', `cd "${pathOf('.skein')}" && cat ../.primary`]), 'node1');
  });

  test('cannot be changed, by root neither', async (t) => {
    if (!requirePart(t, 'fuse', 'root')) return;
    await pair.show(SHOWN);
    for (const name of ['.primary', '.lag', '.skein/status.json']) {
      const path = pathOf(name);
      for (const [program, ...args] of [
        ['sh', '-c', `echo x > "${path}"`],
        ['sh', '-c', `echo x >> "${path}"`],
        ['rm', path],
        ['chmod', '777', path],
        ['touch', path],
        ['truncate', '-s', '0', path],
        ['mv', path, pathOf('moved.db')],
        ['ln', path, pathOf('linked')],
      ] as const) {
        assert.match(runBadly(program, args), /denied|not permitted/i, `${program} ${name}`);
      }
    }
    for (const [program, ...args] of [
      ['rmdir', pathOf('.skein')],
      ['mkdir', pathOf('.skein/more')],
      ['sh', '-c', `echo x > "${pathOf('.skein/more')}"`],
    ] as const) {
      runBadly(program, args);
    }
    assert.equal(read('.primary'), 'node1\n');
  });
});
