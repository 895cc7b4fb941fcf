// Health as balancers ask for it, each with a trailing slash too:
//
//   /health           200, and how the node is, as JSON
//   /health/live      200 while the process answers
//   /health/ready     200 while the node may be sent requests: the primary, or a replica that
//                     follows closely, and the application says that it can serve
//   /health/primary   200 on the primary alone: where a balancer sends writes

import type { NodeState } from '../node-view.ts';
import { jsonAnswer, type WebAnswer } from './answers.ts';
import type { ResolvedOptions } from './options.ts';

/** Undefined when the path is not about health. */
export async function maybeHealthAnswer(
  path: string,
  options: ResolvedOptions,
): Promise<WebAnswer | undefined> {
  const { healthPath, node } = options;
  if (healthPath === undefined || !path.startsWith(healthPath)) return undefined;
  const { state } = node;
  switch (path.slice(healthPath.length).replace(/\/$/, '')) {
    case '':
      return jsonAnswer(200, await describe(options));
    case '/live':
      return jsonAnswer(200, { is_live: true });
    case '/ready': {
      const reason = await whyNotReady(options);
      if (reason === undefined) return jsonAnswer(200, { is_ready: true, role: state.role });
      return jsonAnswer(503, { is_ready: false, role: state.role, reason });
    }
    case '/primary':
      return jsonAnswer(node.isPrimary ? 200 : 503, {
        is_primary: node.isPrimary,
        ...describePrimary(state),
      });
    default:
      return undefined;
  }
}

async function describe(options: ResolvedOptions): Promise<object> {
  const { node, database } = options;
  const { state } = node;
  const position = state.position(database);
  return {
    node: state.name,
    role: state.role,
    ...describePrimary(state),
    epoch: state.epoch,
    lag_ms: state.lagMs,
    database,
    ...(position && { txid: position.txid.toString(16).padStart(16, '0') }),
    is_ready: (await whyNotReady(options)) === undefined,
    can_accept_writes: node.isPrimary,
  };
}

function describePrimary({ role, name, primary }: NodeState): { readonly primary?: string } {
  if (role === 'primary') return { primary: name };
  return primary === undefined ? {} : { primary: primary.name };
}

/** Undefined when it is ready. */
async function whyNotReady(options: ResolvedOptions): Promise<string | undefined> {
  const { state } = options.node;
  const { maxLagMs, isReady } = options;
  if (state.role === 'no-primary') return 'No primary is known';
  if (state.role === 'fenced') return 'It is not clear who may write';
  if (maxLagMs > 0 && state.lagMs > maxLagMs) return `It is ${state.lagMs} ms behind`;
  return (await isReady()) ? undefined : 'The application is not ready';
}
