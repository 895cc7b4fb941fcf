// How an application gets the view of its node.

import type { NodeView } from './node-view.ts';
import { DaemonNode } from './node/daemon-node.ts';
import { PlainNode } from './node/plain-node.ts';
import type { Settings } from './settings/settings.ts';

/** What is needed of the settings. */
export type NodeSettings = Pick<Settings, 'mountPath' | 'dataPath' | 'enabled'> &
  Partial<Pick<Settings, 'databaseName' | 'nodeName' | 'socketPath'>>;

export interface ConnectOptions {
  /** Rejects with NODE_UNREACHABLE after so long; default 10,000; 0: does not wait. */
  readonly timeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * The node of this application, from the first moment that it tells of. With `enabled: false` a
 * node that is alone, on a plain folder. Rejects with NODE_UNREACHABLE.
 */
export async function connectNode(
  settings: NodeSettings,
  options: ConnectOptions = {},
): Promise<NodeView> {
  if (!settings.enabled) return new PlainNode(settings);
  const node = new DaemonNode(settings);
  try {
    await node.connected(options.timeoutMs ?? CONNECT_TIMEOUT_MS);
    return node;
  } catch (error) {
    await node.close();
    throw error;
  }
}
