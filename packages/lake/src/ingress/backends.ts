// The nodes that an ingress knows: which there are, how they are, and which is to take a request.
//
// Names are looked up again and again, so nodes that are added or taken away need no restart; so is
// each node's role, so neither does a change of who writes.
//
// Invariant: a request goes only to a node that was well when it was last asked.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

import type { Log } from '@skein/host';

import { type NodeAddress, probe } from './node-probe.ts';
import type { IngressLimits, LakeRole, Target } from './options.ts';

export interface Backend extends NodeAddress {
  readonly role: LakeRole;
  readonly name: string;
  /** Requests that it has not answered to the end. */
  readonly inFlight: number;
}

interface KnownBackend extends Backend {
  readonly target: Target;
  role: LakeRole;
  name: string;
  inFlight: number;
  isUp: boolean;
  /** The position that it did not have when it was asked. */
  behindOf: string | undefined;
  /** Another look is under way. */
  isAsked: boolean;
}

export interface BackendsOptions {
  readonly targets: readonly Target[];
  readonly limits: IngressLimits;
  readonly log: Log;
}

export class Backends {
  readonly #options: BackendsOptions;
  /** By address and port. */
  readonly #known = new Map<string, KnownBackend>();
  readonly #hasReaders: boolean;
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #turn = 0;

  constructor(options: BackendsOptions) {
    this.#options = options;
    this.#hasReaders = options.targets.some(({ role }) => role === 'reader');
  }

  /** Resolves when all nodes that there are have been asked once. */
  async start(): Promise<void> {
    await this.#look();
    this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#wake();
  }

  /** Nodes that are well and read-only. */
  get readers(): readonly Backend[] {
    return this.#up('reader');
  }

  /** The one to take a request; undefined when none can. Not one of `tried`. */
  maybeChoose(role: LakeRole, tried: ReadonlySet<Backend>): Backend | undefined {
    const found = this.#up(role).filter((each) => !tried.has(each));
    // Who has no readers has one node for all.
    if (found.length === 0 && role === 'reader' && !this.#hasReaders) {
      return this.maybeChoose('writer', tried);
    }
    const current = found.filter(({ behindOf }) => behindOf === undefined);
    const candidates = current.length > 0 ? current : found;
    if (candidates.length === 0) return undefined;
    const least = Math.min(...candidates.map(({ inFlight }) => inFlight));
    const idle = candidates.filter(({ inFlight }) => inFlight === least);
    // Nodes that have equally much to do take turns.
    this.#turn = (this.#turn + 1) % Number.MAX_SAFE_INTEGER;
    return idle[this.#turn % idle.length];
  }

  /** As `maybeChoose`, and waits for a node that can. */
  async choose(
    role: LakeRole,
    tried: ReadonlySet<Backend>,
    signal: AbortSignal,
  ): Promise<Backend | undefined> {
    for (;;) {
      const found = this.maybeChoose(role, tried);
      if (found !== undefined || signal.aborted || this.#isClosed) return found;
      await this.#change(signal);
    }
  }

  begin(backend: Backend): void {
    this.#of(backend).inFlight += 1;
  }

  end(backend: Backend): void {
    this.#of(backend).inFlight -= 1;
  }

  /** It could not be reached: nothing goes to it until it answers again. */
  markDown(backend: Backend): void {
    this.#set(this.#of(backend), false);
  }

  /** It did not have this position when it was asked. */
  markBehind(backend: Backend, position: string): void {
    this.#of(backend).behindOf = position;
  }

  #up(role: LakeRole): KnownBackend[] {
    return [...this.#known.values()].filter((each) => each.isUp && each.role === role);
  }

  /** What is not known any more still ends its requests. */
  #of(backend: Backend): KnownBackend {
    return backend as KnownBackend;
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      void this.#look().finally(() => this.#schedule());
    }, this.#options.limits.probeEveryMs);
  }

  async #look(): Promise<void> {
    await this.#resolveAll();
    await Promise.all([...this.#known.values()].map((each) => this.#ask(each)));
  }

  async #resolveAll(): Promise<void> {
    const { targets, limits, log } = this.#options;
    for (const target of targets) {
      const addresses = await maybeResolve(target.hostname);
      // A name server that fails for a while takes no node away.
      if (addresses === undefined) continue;
      if (addresses.length > limits.addressesMax) {
        log.warn('A name has too many addresses', { name: target.hostname });
      }
      this.#take(target, addresses.slice(0, limits.addressesMax));
    }
  }

  #take(target: Target, addresses: readonly string[]): void {
    for (const [key, each] of this.#known) {
      if (each.target === target && !addresses.includes(each.address)) this.#known.delete(key);
    }
    for (const address of addresses) {
      const { port, role, hostname } = target;
      const key = `${address} ${port}`;
      if (this.#known.has(key)) continue;
      const state = { inFlight: 0, isUp: false, behindOf: undefined, isAsked: false };
      this.#known.set(key, { target, address, port, role, name: hostname, ...state });
    }
  }

  async #ask(backend: KnownBackend): Promise<void> {
    if (backend.isAsked) return;
    backend.isAsked = true;
    const { probeMs: timeoutMs } = this.#options.limits;
    const answer = await probe(backend, { timeoutMs });
    backend.role = answer.role ?? backend.target.role;
    backend.name = answer.nodeName ?? backend.target.hostname;
    this.#set(backend, answer.isReady);
    if (answer.isReady) await this.#askForPosition(backend);
    backend.isAsked = false;
    this.#wake();
  }

  /** Whether it has what it was behind of, unless it was found behind of more meanwhile. */
  async #askForPosition(backend: KnownBackend): Promise<void> {
    const { behindOf: position } = backend;
    if (position === undefined) return;
    const { isReady } = await probe(backend, { timeoutMs: this.#options.limits.probeMs, position });
    if (isReady && backend.behindOf === position) backend.behindOf = undefined;
  }

  #set(backend: KnownBackend, isUp: boolean): void {
    if (backend.isUp === isUp) return;
    backend.isUp = isUp;
    const { address, port, role } = backend;
    const message = isUp ? 'A node takes requests' : 'A node takes no requests';
    this.#options.log.info(message, { address, port, role });
  }

  async #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#waiting.delete(resolve);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
  }
}

/** Undefined: nobody knows; a name that is not there has no addresses. */
async function maybeResolve(hostname: string): Promise<readonly string[] | undefined> {
  if (isIP(hostname) !== 0) return [hostname];
  try {
    const found = await lookup(hostname, { all: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOTFOUND' ? [] : undefined;
  }
}
