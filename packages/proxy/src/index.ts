// The proxy in front of an application.

export { type ProxyServer, startProxy } from './start-proxy.ts';
export {
  DEFAULT_LIMITS,
  DEFAULT_PROXY_SETTINGS,
  type HostAndPort,
  type OutputGate,
  type ProxyLimits,
  type ProxyOptions,
  type ProxySettings,
} from './options.ts';
export {
  type DatabasePosition,
  type NodeChange,
  type NodeRole,
  type NodeView,
  type PrimaryNode,
  PushedNodeView,
  type ViewListener,
} from './node-view.ts';
export type { ForwardedTrust } from './forwarded.ts';
export type { Positions } from '@skein/client/peers';
export { ProxyError, type ProxyErrorCode } from './errors.ts';
