import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { MountFile } from '@skein/engine';

import { Nodes, ROOT_ID } from './nodes.ts';

/** Nodes only tell files apart. */
const file = (): MountFile => ({}) as MountFile;

describe('Nodes', () => {
  test('gives a file one number for as long as the kernel knows it', () => {
    const nodes = new Nodes();
    const journal = file();
    const node = nodes.lookUp('a.db-journal', journal, 0);
    assert.notEqual(node.id, ROOT_ID);
    assert.equal(node.kind, 'journal');
    assert.equal(nodes.lookUp('a.db-journal', journal, 0), node);

    nodes.forget(node.id, 1);
    assert.equal(nodes.get(node.id), node);
    nodes.forget(node.id, 1);
    assert.equal(nodes.get(node.id), undefined);
    assert.equal(nodes.find('a.db-journal'), undefined);
    assert.notEqual(nodes.lookUp('a.db-journal', journal, 0).id, node.id);
  });

  test('detaches a node whose name goes to another file', () => {
    const nodes = new Nodes();
    const old = nodes.lookUp('a.db-journal', file(), 0);
    const next = nodes.lookUp('a.db-journal', file(), 0);
    assert.ok(old.isDetached);
    assert.notEqual(next.id, old.id);
    assert.equal(nodes.find('a.db-journal'), next);

    // What the kernel gives back of the old one is nothing to the new one.
    nodes.forget(old.id, 1);
    assert.equal(nodes.find('a.db-journal'), next);
  });

  test('moves a node to another name, and detaches the one that was there', () => {
    const nodes = new Nodes();
    const target = nodes.lookUp('.b', file(), 0);
    const moved = nodes.lookUp('.a', file(), 0);
    nodes.rename('.a', '.b');
    assert.equal(nodes.find('.b'), moved);
    assert.equal(moved.name, '.b');
    assert.equal(nodes.find('.a'), undefined);
    assert.ok(target.isDetached);
  });

  test('takes it for a bug when the kernel gives back too much', () => {
    const nodes = new Nodes();
    const node = nodes.lookUp('a.db', file(), 0);
    assert.throws(() => nodes.forget(node.id, 2));
  });
});
