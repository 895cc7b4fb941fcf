// One stream from a primary, from the moment it was granted to its end.

import { constants } from 'node:http2';

import { AssertionError } from '@skein/bytes';
import type { Clock } from '@skein/host';

import { ReplicationError } from '../../errors.ts';
import type { LogSink } from '../../ports.ts';
import { FrameWriter } from '../../wire/frame-writer.ts';
import { SilenceWatch } from '../silence-watch.ts';
import { LITEFS_PATIENCE, type StreamTiming } from '../timing.ts';
import { Acknowledger } from './acknowledger.ts';
import type { Connection } from './connect.ts';
import { Receiver, type ReceiverEvents } from './receiver.ts';

export interface FollowedStreamOptions {
  readonly connection: Connection;
  readonly sink: LogSink;
  /** The primary's term of leadership; with a LiteFS, which has none, our own. */
  readonly epoch: number;
  readonly clock: Clock;
  readonly timing: StreamTiming;
  readonly fileTag: bigint;
  /** In addition to what is done here. */
  readonly events: ReceiverEvents;
}

/** A connection has so long to end in order. */
const CLOSE_MS = 500;

/**
 * Resolves when the primary has ended the stream; throws ReplicationError for any other end, and
 * the signal's reason when that comes first.
 */
export async function followStream(
  options: FollowedStreamOptions,
  signal: AbortSignal,
): Promise<void> {
  const followed = new FollowedStream(options);
  try {
    await followed.run(signal);
  } finally {
    await closeConnection(options.connection);
  }
}

/** Tells the primary that we leave, so that it need not take it for a failure. */
async function closeConnection({ session, stream, socket }: Connection): Promise<void> {
  if (socket.destroyed) return;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  // A session that is closing waits for what the peer does not read.
  const timer = setTimeout(() => socket.destroy(), CLOSE_MS);
  stream.close(constants.NGHTTP2_NO_ERROR);
  session.close();
  await closed;
  clearTimeout(timer);
}

class FollowedStream {
  readonly #options: FollowedStreamOptions;
  readonly #receiver: Receiver;
  /** Undefined with a LiteFS, which takes no acknowledgements. */
  readonly #acknowledger: Acknowledger | undefined;
  #isEnded = false;
  /** Why the stream ended; undefined: the primary ended it in order. */
  #failure: unknown;

  constructor(options: FollowedStreamOptions) {
    const { connection, sink, epoch, fileTag } = options;
    const { dialect } = connection.hello;
    this.#options = options;
    if (dialect === 'skein') {
      this.#acknowledger = new Acknowledger({ sink, write: (bytes) => this.#write(bytes) });
    }
    this.#receiver = new Receiver({ dialect, epoch, sink, fileTag, events: this.#events() });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { stream } = this.#options.connection;
    const watch = this.#watchSilence();
    const heartbeats = this.#startHeartbeats();
    stream.on('data', (bytes: Buffer) => {
      watch.heard();
      // Not as a Buffer: its slice() makes no copy, which whoever gets a part of it may not know.
      this.#take(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
    });
    stream.on('drain', () => this.#acknowledger?.resume());
    stream.on('error', (error) => this.#end(broken(error)));
    stream.on('end', () => this.#onStreamEnd());
    stream.on('close', () => this.#end(broken()));
    if (stream.destroyed) this.#end(broken());
    try {
      await this.#receiver.run(signal, () => this.#resumeReading());
    } catch (error) {
      if (error instanceof AssertionError || signal.aborted) throw error;
      this.#failure = receiveFailure(error);
    } finally {
      this.#isEnded = true;
      clearInterval(heartbeats);
      watch.stop();
      this.#acknowledger?.stop();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #events(): ReceiverEvents {
    const { events } = this.#options;
    return {
      ...events,
      onReceived: (transaction) => {
        this.#acknowledger?.received(transaction);
        events.onReceived(transaction);
      },
      onDurable: (transactions) => {
        this.#acknowledger?.durable(transactions);
        events.onDurable(transactions);
      },
      onFile: (database) => {
        this.#acknowledger?.durableFile(database);
        events.onFile(database);
      },
    };
  }

  #take(bytes: Uint8Array): void {
    if (this.#isEnded) return;
    try {
      this.#receiver.take(bytes);
    } catch (error) {
      this.#end(error);
      return;
    }
    if (this.#receiver.isEnded) this.#end(undefined);
    else if (this.#receiver.isFull) this.#options.connection.stream.pause();
  }

  #resumeReading(): void {
    const { stream } = this.#options.connection;
    if (!this.#receiver.isFull && stream.isPaused()) stream.resume();
  }

  #onStreamEnd(): void {
    try {
      this.#receiver.finish();
      this.#end(undefined);
    } catch (error) {
      this.#end(error);
    }
  }

  /** The first reason counts. What has come is still handed on. */
  #end(failure: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#failure = failure;
    this.#receiver.end();
  }

  #watchSilence(): SilenceWatch {
    const { connection, timing } = this.#options;
    const { silenceMs } = timing;
    return new SilenceWatch({
      silenceMs,
      patience: () => {
        // Who does not read hears nothing.
        if (connection.stream.isPaused()) return Infinity;
        return this.#receiver.isBusyLitefs ? LITEFS_PATIENCE : 1;
      },
      onSilent: () => this.#end(silent(silenceMs)),
    });
  }

  #startHeartbeats(): NodeJS.Timeout | undefined {
    const { clock, timing, connection } = this.#options;
    if (connection.hello.dialect === 'litefs') return undefined;
    const writer = new FrameWriter();
    return setInterval(() => {
      if (connection.stream.writableNeedDrain) return;
      writer.heartbeat(clock.wallMs());
      this.#write(writer.take());
    }, timing.heartbeatMs);
  }

  #write(bytes: Uint8Array): boolean {
    const { stream } = this.#options.connection;
    return stream.destroyed || stream.writableEnded ? false : stream.write(bytes);
  }
}

function silent(silenceMs: number): ReplicationError {
  const message = `Cannot follow the primary: nothing came from it for ${silenceMs / 1000} s`;
  return new ReplicationError('PEER_SILENT', message);
}

function broken(cause?: Error): ReplicationError {
  const reason = cause === undefined ? 'the connection was closed' : cause.message;
  const message = `Cannot follow the primary: ${reason}`;
  return new ReplicationError('PEER_UNREACHABLE', message, { cause });
}

/** What the sink threw. */
function receiveFailure(error: unknown): ReplicationError {
  if (error instanceof ReplicationError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const message = `Cannot store what the primary sent: ${reason}`;
  return new ReplicationError('RECEIVE_FAILED', message, { cause: error });
}
