import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SimClock } from '@skein/testkit';

import { ROOT_ID } from './nodes.ts';
import type { NodeShownState } from './shown-state.ts';
import { formatLag, STATUS_FOLDER_ID, StatusFiles } from './status-files.ts';

const REPLICA: NodeShownState = {
  role: 'replica',
  primaryName: 'node1',
  heardMs: undefined,
  statusJson: '{}',
};

describe('StatusFiles', () => {
  const namesIn = (files: StatusFiles, folder = ROOT_ID): string[] =>
    files.entries(folder).map(({ name }) => name);
  const textOf = (files: StatusFiles, name: string, folder = ROOT_ID): string => {
    const { id } = files.find(folder, name)!;
    return new TextDecoder().decode(files.content(id));
  };

  test('shows nothing, and keeps no name to itself, before it knows anything', () => {
    const files = new StatusFiles(new SimClock());
    assert.deepEqual(namesIn(files), []);
    assert.equal(files.reserves(ROOT_ID, '.primary'), false);
    assert.equal(files.find(ROOT_ID, '.lag'), undefined);
  });

  test('names the primary on a replica that is connected, and there alone', () => {
    const files = new StatusFiles(new SimClock());
    assert.equal(files.show(REPLICA), true);
    assert.deepEqual(namesIn(files), ['.lag', '.primary', '.skein']);
    assert.equal(textOf(files, '.primary'), 'node1\n');

    assert.equal(files.show({ ...REPLICA, heardMs: 1 }), false);
    assert.equal(files.show({ ...REPLICA, primaryName: 'node2' }), true);
    assert.equal(textOf(files, '.primary'), 'node2\n');

    assert.equal(files.show({ ...REPLICA, primaryName: undefined }), true);
    assert.deepEqual(namesIn(files), ['.lag', '.skein']);
    assert.equal(files.find(ROOT_ID, '.primary'), undefined);
    assert.equal(files.reserves(ROOT_ID, '.primary'), true);
  });

  test('counts the lag from when the primary was heard, up to the moment of the question', () => {
    const clock = new SimClock();
    const files = new StatusFiles(clock);
    files.show(REPLICA);
    assert.equal(textOf(files, '.lag'), '+2147483647');
    assert.equal(files.modifiedMs(files.find(ROOT_ID, '.lag')!.id), 0);

    const heardMs = clock.wallMs();
    files.show({ ...REPLICA, heardMs });
    clock.advance(1500);
    assert.equal(textOf(files, '.lag'), '+000001500\n');
    assert.equal(files.modifiedMs(files.find(ROOT_ID, '.lag')!.id), heardMs);

    files.show({ ...REPLICA, role: 'primary', primaryName: undefined });
    assert.equal(textOf(files, '.lag'), '+000000000\n');
  });

  test('has the status in a folder of its own', () => {
    const files = new StatusFiles(new SimClock());
    files.show({ ...REPLICA, statusJson: '{"a":1}' });
    assert.deepEqual(namesIn(files, STATUS_FOLDER_ID), ['status.json']);
    assert.equal(textOf(files, 'status.json', STATUS_FOLDER_ID), '{"a":1}\n');
    assert.equal(files.find(ROOT_ID, 'status.json'), undefined);
  });
});

describe('formatLag()', () => {
  const cases: ReadonlyArray<readonly [ms: number, text: string]> = [
    [0, '+000000000\n'],
    [12, '+000000012\n'],
    [-3, '-000000003\n'],
    [999_999_999, '+999999999\n'],
    // One digit more takes the place of the newline, as in LiteFS.
    [2_147_483_647, '+2147483647'],
    [1e12, '+2147483647'],
    [-1e12, '-2147483647'],
  ];
  for (const [ms, text] of cases) {
    test(`writes ${ms} as ${JSON.stringify(text)}`, () => assert.equal(formatLag(ms), text));
  }
});
