// The replica's side of replication: follows one primary for as long as it is told to, over as many
// connections as it takes.
//
// Every connection begins with the true positions of the sink, so whatever went wrong on the last
// one is put right by the primary: it sends what is missing, or a snapshot.

import { AssertionError, readU64be } from '@skein/bytes';
import type { Clock, Counter, Log, Metrics, Random } from '@skein/host';
import { POSITION_ZERO } from '@skein/ltx';

import type { AddressList } from '../../auth/address-list.ts';
import type { Authenticator } from '../../auth/authenticator.ts';
import { ReplicationError } from '../../errors.ts';
import type { LogSink } from '../../ports.ts';
import { Complaints } from '../complaints.ts';
import type { NodeHello, StreamPeer } from '../hello.ts';
import { nameOf } from '../server/admission.ts';
import { STREAM_TIMING, type StreamTiming } from '../timing.ts';
import type { TlsIdentity } from '../tls-identity.ts';
import { connect, type Connection, RefusedError } from './connect.ts';
import { followStream } from './followed-stream.ts';
import { timestampOf } from './ltx-fields.ts';
import { Misfits } from './misfits.ts';
import type { ReceiverEvents } from './receiver.ts';

export interface StreamClientOptions {
  /** Where the primary advertises its API. */
  readonly url: URL;
  /** Who this node is, now. */
  readonly self: () => NodeHello;
  readonly sink: LogSink;
  /** Only these databases; undefined: all. */
  readonly databases?: ReadonlySet<string> | undefined;
  readonly authenticator?: Authenticator | undefined;
  /** Where a LiteFS may be the primary; undefined: nowhere. */
  readonly litefs?: AddressList | undefined;
  readonly tls?: TlsIdentity | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly timing?: StreamTiming;
  /** What else speaks against the primary; throws ReplicationError. Also asked after a refusal. */
  readonly admit?: ((primary: NodeHello) => void) | undefined;
  /** This node belongs to no cluster yet and joins this one: to be durable when it resolves. */
  readonly adoptClusterId: (clusterId: string) => Promise<void>;
  /** The stream has another state: see `status`. */
  readonly onChange?: (() => void) | undefined;
}

export interface StreamStatus {
  /** `ready`: this replica has had, once, all that the primary had. */
  readonly state: 'connecting' | 'connected' | 'ready' | 'closed';
  readonly primary: StreamPeer | undefined;
  /** By the primary's clock, the moment up to which this replica knows all; see LiteFS's `.lag`. */
  readonly primaryMs: number | undefined;
  /** Why there is no stream. */
  readonly error: ReplicationError | undefined;
}

const CONNECTING: StreamStatus = {
  state: 'connecting',
  primary: undefined,
  primaryMs: undefined,
  error: undefined,
};

export class StreamClient {
  readonly #options: StreamClientOptions;
  readonly #timing: StreamTiming;
  readonly #complaints: Complaints;
  readonly #figures: Figures;
  readonly #misfits = new Misfits();
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;
  #status: StreamStatus = CONNECTING;

  /** Begins at once. */
  constructor(options: StreamClientOptions) {
    this.#options = options;
    this.#timing = options.timing ?? STREAM_TIMING;
    this.#complaints = new Complaints({ side: 'replica', ...options });
    this.#figures = createFigures(options.metrics);
    this.#done = this.#run();
  }

  get status(): StreamStatus {
    return this.#status;
  }

  /** Resolves when it has been closed; rejects for a bug, which should end the process. */
  get done(): Promise<void> {
    return this.#done;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#follow(signal);
        this.#set({ ...CONNECTING });
      } catch (error) {
        if (signal.aborted && !(error instanceof AssertionError)) break;
        if (!(error instanceof ReplicationError)) throw error;
        this.#complaints.report('Cannot follow the primary', error, this.#options.url.host);
        this.#set({ ...CONNECTING, error });
      }
      await this.#pause(signal);
    }
    this.#set({ ...CONNECTING, state: 'closed' });
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const connection = await this.#connect(signal);
    const { hello } = connection;
    const { log, url, sink, clock } = this.#options;
    const fields = { primary: nameOf(hello), address: url.host, protocol: hello.dialect };
    try {
      await this.#join(hello);
    } catch (error) {
      connection.socket.destroy();
      throw error;
    }
    log.info('Connected to the primary', fields);
    this.#set({ ...CONNECTING, state: 'connected', primary: hello });
    const epoch = hello.dialect === 'skein' ? hello.epoch : this.#options.self().epoch;
    const events = this.#events(fields.primary);
    const fileTag = this.#random64();
    const timing = this.#timing;
    let reason = 'the primary ended the stream';
    try {
      const followed = { connection, sink, epoch, clock, timing, fileTag, events };
      await followStream(followed, signal);
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      if (!signal.aborted) log.info('Lost the primary', { ...fields, reason });
    }
  }

  async #connect(signal: AbortSignal): Promise<Connection> {
    const { url, self, sink, databases, authenticator, litefs, tls, admit } = this.#options;
    const { handshakeMs } = this.#timing;
    this.#figures.connections.add(1);
    try {
      return await connect(
        {
          url,
          self: self(),
          positions: this.#misfits.tell(sink.positions()),
          databases,
          resume: sink.resumable(),
          authenticator,
          litefs,
          tls,
          handshakeMs,
        },
        signal,
      );
    } catch (error) {
      // A node that refuses may be one that is configured for another primary.
      if (error instanceof RefusedError && error.peer?.dialect === 'skein') admit?.(error.peer);
      throw error;
    }
  }

  /** Makes sure that the primary is one of ours. */
  async #join(primary: StreamPeer): Promise<void> {
    const { self, admit, adoptClusterId } = this.#options;
    const own = self();
    if (primary.nodeId === own.nodeId) {
      throw new ReplicationError('PEER_SELF', 'Cannot follow the primary: it is this node itself');
    }
    if (own.clusterId !== undefined && primary.clusterId !== own.clusterId) {
      const theirs = primary.clusterId ?? 'none';
      const reason = `it belongs to cluster ${theirs}, this node to ${own.clusterId}`;
      const message = `Cannot follow the primary: ${reason}`;
      throw new ReplicationError('CLUSTER_ID_MISMATCH', message);
    }
    if (primary.dialect === 'skein') {
      admit?.(primary);
      if (primary.epoch < own.epoch) throw staleEpoch(primary, own);
    }
    if (own.clusterId === undefined && primary.clusterId !== undefined) {
      await adoptClusterId(primary.clusterId);
    }
  }

  #events(primary: string): ReceiverEvents {
    const { log, clock, sink } = this.#options;
    const { transactions, bytes, files } = this.#figures;
    const misfits = this.#misfits;
    return {
      onReceived: () => undefined,
      onDurable: (received) => {
        transactions.add(received.length);
        bytes.add(received.reduce((sum, transaction) => sum + transaction.bytes.length, 0));
        this.#noteTime(timestampOf(received.at(-1)!.bytes));
        for (const { database } of received) misfits.taken(database);
      },
      onFile: (database) => {
        files.add(1);
        misfits.taken(database);
      },
      onMisfit: (database) => {
        misfits.refused(database, sink.positions().get(database) ?? POSITION_ZERO);
      },
      onReady: () => {
        log.info('Caught up with the primary', { primary });
        this.#set({ ...this.#status, state: 'ready', primaryMs: clock.wallMs() });
      },
      onHeartbeat: (wallMs) => this.#noteTime(wallMs),
      onUnknownDatabase: (name) => log.info('The primary has no such database', { primary, name }),
    };
  }

  #noteTime(primaryMs: number): void {
    if (this.#status.state === 'ready') this.#status = { ...this.#status, primaryMs };
  }

  #set(status: StreamStatus): void {
    this.#status = status;
    this.#options.onChange?.();
  }

  /** Give or take a quarter, so that the replicas of a primary do not all come at once. */
  async #pause(signal: AbortSignal): Promise<void> {
    const { reconnectMs } = this.#timing;
    const fraction = Number(this.#random64() >> 11n) / 2 ** 53;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, reconnectMs * (0.75 + fraction / 2));
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
    await promise;
    clearTimeout(timer);
  }

  #random64(): bigint {
    const bytes = new Uint8Array(8);
    this.#options.random.fill(bytes);
    return readU64be(bytes, 0);
  }
}

interface Figures {
  readonly connections: Counter;
  readonly transactions: Counter;
  readonly files: Counter;
  readonly bytes: Counter;
}

function createFigures(metrics: Metrics): Figures {
  return {
    connections: metrics.counter(
      'skein_stream_connections_total',
      'Connections to a primary that were tried',
    ),
    transactions: metrics.counter(
      'skein_stream_received_transactions_total',
      'Transactions that came from a primary and are durable here',
    ),
    files: metrics.counter(
      'skein_stream_received_files_total',
      'Snapshots and large files that came from a primary and are durable here',
    ),
    bytes: metrics.counter(
      'skein_stream_received_bytes_total',
      'Size of the transactions that came from a primary',
    ),
  };
}

function staleEpoch(primary: NodeHello, own: NodeHello): ReplicationError {
  const reason = `it is in epoch ${primary.epoch}, epoch ${own.epoch} has been seen here`;
  const message = `Cannot follow ${nameOf(primary)}: ${reason}`;
  return new ReplicationError('STALE_EPOCH', message, {
    hint: 'It was primary earlier and does not know better: configure one primary for all nodes',
  });
}
