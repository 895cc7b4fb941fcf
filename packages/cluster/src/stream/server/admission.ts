// Whether a peer that asks for a stream gets one, as far as its headers say.
//
// In this order: who it is (its signature, or its address if it is a LiteFS), so that nobody else
// learns anything; then whether it belongs to this cluster; then whether there is anything for it
// here. Whoever is refused for the last two learns who we are: nodes compare what they are
// configured for by it.

import { formatHex64 } from '@skein/bytes';

import type { AddressList } from '../../auth/address-list.ts';
import type { Authenticator } from '../../auth/authenticator.ts';
import { ReplicationError } from '../../errors.ts';
import {
  type HeaderFields,
  type NodeHello,
  parseHello,
  type StreamPeer,
  signedParts,
  textOf,
} from '../hello.ts';

export interface AdmissionOptions {
  /** Who this node is, now. */
  readonly self: () => NodeHello;
  readonly isPrimary: () => boolean;
  /** Undefined: peers need no secret. */
  readonly authenticator?: Authenticator | undefined;
  /** Where LiteFS may connect from; undefined: nowhere. */
  readonly litefs?: AddressList | undefined;
  /** What else speaks against a peer of Skein; throws ReplicationError. */
  readonly admit?: ((peer: NodeHello) => void) | undefined;
  /** A peer that can be trusted has seen a later term of leadership than this node. */
  readonly onHigherEpoch?: ((peer: NodeHello) => void) | undefined;
}

export interface PeerRequest {
  readonly headers: HeaderFields;
  readonly path: string;
  readonly address: string;
}

/** Who the peer is. Throws ReplicationError unless it may know who we are. */
export function identify(request: PeerRequest, options: AdmissionOptions): StreamPeer {
  const { headers, path, address } = request;
  const isLitefs = textOf(headers, 'skein-protocol') === undefined;
  if (isLitefs) checkLitefs(address, options.litefs);
  else {
    const parts = signedParts(['POST', path], headers);
    options.authenticator?.verify(textOf(headers, 'skein-auth'), parts);
  }
  return parseHello(headers);
}

/** Throws ReplicationError unless the peer gets a stream. */
export function admit(hello: StreamPeer, options: AdmissionOptions): void {
  const self = options.self();
  if (hello.nodeId === self.nodeId) {
    throw new ReplicationError('PEER_SELF', 'Cannot replicate: the node connected to itself', {
      hint: 'Its id is in node.json: a data folder must not be copied to another node',
    });
  }
  checkClusterId(hello.clusterId, self.clusterId);
  if (hello.dialect === 'skein') admitNode(hello, self, options);
  if (options.isPrimary()) return;
  throw new ReplicationError('NOT_PRIMARY', `Cannot replicate: ${nameOf(self)} is not the primary`);
}

function admitNode(peer: NodeHello, self: NodeHello, options: AdmissionOptions): void {
  options.admit?.(peer);
  if (peer.epoch <= self.epoch) return;
  options.onHigherEpoch?.(peer);
  const epochs = `epoch ${peer.epoch}, ${nameOf(self)} is in epoch ${self.epoch}`;
  const message = `Cannot replicate: ${nameOf(peer)} has seen ${epochs}`;
  throw new ReplicationError('STALE_EPOCH', message);
}

function checkClusterId(peer: string | undefined, own: string | undefined): void {
  if (peer === undefined || own === undefined || peer === own) return;
  const message = `Cannot replicate: the peer belongs to cluster ${peer}, this node to ${own}`;
  throw new ReplicationError('CLUSTER_ID_MISMATCH', message);
}

function checkLitefs(address: string, allowed: AddressList | undefined): void {
  if (allowed?.has(address) === true) return;
  const message =
    allowed === undefined
      ? `Cannot replicate to LiteFS at ${address}: this node serves nodes of Skein only`
      : `Cannot replicate to LiteFS at ${address}: the address is not allowed`;
  throw new ReplicationError('PEER_NOT_ALLOWED', message, {
    hint: 'LiteFS cannot prove who it is: allow its address, and set compat: litefs',
  });
}

/** For people; a LiteFS has but its id. */
export function nameOf(hello: StreamPeer | NodeHello): string {
  const isNamed = 'name' in hello && hello.name !== '';
  return isNamed ? hello.name : formatHex64(hello.nodeId).toUpperCase();
}
