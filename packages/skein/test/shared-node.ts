// One node for all tests of a suite: starting one takes longer than most of what they do.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { hasPart, onTestEnd, type TestScope } from '@skein/testkit';

import { type NodeOptions, startNode, type TestNode } from './test-node.ts';

/**
 * To be called in a suite. Returns the node, for tests that have asked for the parts "fuse" and
 * "root"; its clean-ups are those of the suite.
 */
export function shareNode(options: NodeOptions = {}): () => TestNode {
  const scope: TestScope = { after };
  // Now, while the suite is being defined: inside of a hook it would be the hook's own end.
  onTestEnd(scope, () => {});
  let node: TestNode | undefined;
  before(async () => {
    if (hasPart('fuse') && hasPart('root')) node = await startNode(scope, options);
  });
  return () => {
    assert(node !== undefined, 'The test did not ask for what the node needs');
    return node;
  };
}
