// What a node of the lake says of itself: GET /readyz. With a position it answers when it has it.
//
//   X-Skein-Role: writer | reader     whatever the status is
//   X-Skein-Node: node1               its name
//
// A node that names no role, as a Seafowl, has the one that the configuration gives it.

import { request } from 'node:http';

import type { LakeRole } from './options.ts';

export interface NodeAddress {
  readonly address: string;
  readonly port: number;
}

export interface ProbeOptions {
  readonly timeoutMs: number;
  readonly position?: string | undefined;
  readonly signal?: AbortSignal;
}

export interface ProbeAnswer {
  readonly isReady: boolean;
  readonly role: LakeRole | undefined;
  readonly nodeName: string | undefined;
}

const UNREACHABLE: ProbeAnswer = { isReady: false, role: undefined, nodeName: undefined };

/** Never rejects. */
export function probe(node: NodeAddress, options: ProbeOptions): Promise<ProbeAnswer> {
  const { timeoutMs, position, signal } = options;
  const headers: Record<string, string> = { 'X-Skein-Timeout': String(timeoutMs) };
  if (position !== undefined) headers['X-Skein-Position'] = position;
  return new Promise((resolve) => {
    const asked = request({
      host: node.address,
      port: node.port,
      path: '/readyz',
      headers,
      // A connection of its own: one that is kept would say nothing of whether new ones come about.
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    });
    const timer = setTimeout(() => asked.destroy(new Error('No answer')), timeoutMs);
    const finish = (answer: ProbeAnswer): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    asked.once('error', () => finish(UNREACHABLE));
    asked.once('response', (response) => {
      response.resume();
      const { statusCode, headers: said } = response;
      finish({
        isReady: statusCode === 200,
        role: maybeRole(said['x-skein-role']),
        nodeName: maybeName(said['x-skein-node']),
      });
    });
    asked.end();
  });
}

function maybeRole(text: string | string[] | undefined): LakeRole | undefined {
  return text === 'writer' || text === 'reader' ? text : undefined;
}

/** It goes into a header of ours. */
function maybeName(text: string | string[] | undefined): string | undefined {
  return typeof text === 'string' && /^[\w.-]{1,253}$/.test(text) ? text : undefined;
}
