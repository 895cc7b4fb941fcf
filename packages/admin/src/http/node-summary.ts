// The node as pages show it: one moment of it, in plain values.

import type { NodeState } from '@skein/client';

import type { SqliteHandle } from '../database/handle.ts';
import type { AdminNode } from '../options.ts';

export interface NodeSummary {
  readonly name: string;
  readonly role: NodeState['role'];
  readonly epoch: number;
  readonly lagMs: number;
  /** In hexadecimal, as everywhere else; undefined before the first transaction. */
  readonly txid: string | undefined;
  readonly primary: NodeState['primary'];
  readonly isPrimary: boolean;
}

export function summarizeNode(node: AdminNode, database: string | SqliteHandle): NodeSummary {
  const { state, isPrimary } = node;
  const path = typeof database === 'string' ? database : '';
  const position = state.position(path.slice(path.lastIndexOf('/') + 1));
  return {
    name: state.name,
    role: state.role,
    epoch: state.epoch,
    lagMs: Math.round(state.lagMs),
    txid: position?.txid.toString(16),
    primary: state.primary,
    isPrimary,
  };
}

/** The role in words. */
export function describeRole({ role, primary }: NodeSummary): string {
  switch (role) {
    case 'primary':
      return 'primary';
    case 'replica':
      return primary === undefined ? 'replica' : `replica of ${primary.name}`;
    case 'no-primary':
      return 'no primary';
    case 'fenced':
      return 'fenced';
  }
}

/** What follows from the role for whoever wants to write, where that is not "go on". */
export function whyNotWritable(node: NodeSummary): string | undefined {
  switch (node.role) {
    case 'primary':
      return undefined;
    case 'replica':
      return 'Write operation attempted on replica node';
    case 'no-primary':
      return 'Nobody is known to be primary, so nothing can be written now';
    case 'fenced':
      return 'It is not clear who may write, so nothing can be written now';
  }
}

function formatLag(lagMs: number): string {
  if (lagMs < 1000) return `${lagMs} ms`;
  return lagMs < 120_000 ? `${(lagMs / 1000).toFixed(1)} s` : `${Math.round(lagMs / 60_000)} min`;
}

export function describePosition({ txid, lagMs, isPrimary }: NodeSummary): string {
  const position = txid === undefined ? 'no transaction' : `txid ${txid}`;
  return isPrimary ? position : `${position} · lag ${formatLag(lagMs)}`;
}

/** All that is shown of a node, each with its name. */
export function nodeFacts(node: NodeSummary): readonly (readonly [name: string, value: string])[] {
  return [
    ['Node', node.name],
    ['Role', describeRole(node)],
    ['Epoch', String(node.epoch)],
    ['Transaction', node.txid ?? 'none'],
    ['Lag', formatLag(node.lagMs)],
  ];
}
