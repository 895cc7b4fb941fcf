// One replica that is connected: sends it the log and takes what it acknowledges.
//
// Two things go on at once and know nothing of each other: what the cursor gives is sent, what the
// replica says is read. Either ends both.

import type { ServerHttp2Stream } from 'node:http2';

import { AssertionError } from '@skein/bytes';
import type { Clock } from '@skein/host';
import type { Position } from '@skein/ltx';

import { ReplicationError } from '../../errors.ts';
import type { LogCursor, LogItem } from '../../ports.ts';
import type { ClientDecoder } from '../../wire/client-decoder.ts';
import type { Acknowledgement } from '../../wire/frames.ts';
import { positionAfter } from '../client/ltx-fields.ts';
import type { StreamPeer, ResumePoint } from '../hello.ts';
import { SilenceWatch } from '../silence-watch.ts';
import type { StreamTiming } from '../timing.ts';
import { Outbox } from './outbox.ts';
import { ReplicaProgress } from './replica-progress.ts';

export interface ReplicaStreamOptions {
  readonly stream: ServerHttp2Stream;
  readonly hello: StreamPeer;
  /** Has read the position map. */
  readonly decoder: ClientDecoder;
  readonly cursor: LogCursor;
  readonly resume: ResumePoint | undefined;
  readonly clock: Clock;
  readonly timing: StreamTiming;
  /** An item is on its way. */
  readonly onSent: (item: LogItem) => void;
  /** The replica is further with some database. */
  readonly onProgress: () => void;
}

export class ReplicaStream {
  readonly hello: StreamPeer;
  readonly progress: ReplicaProgress;
  readonly #options: ReplicaStreamOptions;
  readonly #outbox: Outbox;
  readonly #ending = new AbortController();
  #failure: ReplicationError | undefined;
  #isCaughtUp = false;

  constructor(options: ReplicaStreamOptions) {
    const { stream, hello, decoder, clock, resume } = options;
    const { dialect } = hello;
    this.#options = options;
    this.hello = hello;
    this.progress = new ReplicaProgress(decoder.positions!);
    this.#outbox = new Outbox({ stream, dialect, clock, resume });
  }

  /** Whether the replica has got, once, all that there was. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** Serves until the stream ends. Resolves with the reason, if there is more to it than that. */
  async run(): Promise<ReplicationError | undefined> {
    const { stream, cursor, timing } = this.#options;
    const heartbeats = setInterval(() => this.#outbox.tick(), timing.heartbeatMs);
    const watch = this.#watchSilence();
    stream.on('data', (bytes: Buffer) => {
      watch?.heard();
      this.#receive(bytes);
    });
    stream.on('end', () => this.#onInputEnd());
    stream.on('error', (error) => this.fail(broken(error)));
    stream.on('close', () => this.#ending.abort());
    stream.resume();
    try {
      await this.#sendAll(cursor);
    } finally {
      clearInterval(heartbeats);
      watch?.stop();
      cursor.close();
      this.#outbox.end();
    }
    return this.#failure;
  }

  /** Ends the stream in order. */
  end(): void {
    this.#ending.abort();
    // A write that the replica does not take must not hold this up.
    if (this.#options.stream.writableLength > 0) this.#options.stream.destroy();
  }

  /** Ends the stream because of what the replica did. */
  fail(error: ReplicationError): void {
    this.#failure ??= error;
    this.#ending.abort();
    this.#options.stream.destroy();
  }

  async #sendAll(cursor: LogCursor): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        const item = await cursor.next(signal);
        await this.#outbox.send(item, signal);
        if (this.hello.dialect === 'litefs') this.#noteSent(item);
        if (item.kind === 'caught-up') this.#isCaughtUp = true;
        this.#options.onSent(item);
      } catch (error) {
        const failure = sendFailure(error);
        if (!signal.aborted) this.fail(failure);
        return;
      }
    }
  }

  /** A LiteFS says nothing of what it has: what was sent is all that is known. */
  #noteSent(item: LogItem): void {
    if (item.kind === 'file') {
      this.#takeAsHad(item.file.database, item.file.position);
    } else if (item.kind === 'transactions') {
      for (const { database, bytes } of item.transactions) {
        this.#takeAsHad(database, positionAfter(bytes));
      }
    }
    this.#options.onProgress();
  }

  #takeAsHad(database: string, position: Position): void {
    const { txid: received } = position;
    this.progress.update({ database, received, durable: position, applied: position });
  }

  #watchSilence(): SilenceWatch | undefined {
    // LiteFS sends nothing after its position map; a dead one is TCP's to notice.
    if (this.hello.dialect === 'litefs') return undefined;
    const { silenceMs } = this.#options.timing;
    return new SilenceWatch({ silenceMs, onSilent: () => this.fail(silent(silenceMs)) });
  }

  #receive(bytes: Uint8Array): void {
    if (this.#ending.signal.aborted) return;
    try {
      let isFurther = false;
      for (const frame of this.#options.decoder.push(bytes)) {
        if (frame.kind !== 'acknowledgement') continue;
        this.#acknowledge(frame.acknowledgement);
        isFurther = true;
      }
      if (isFurther) this.#options.onProgress();
    } catch (error) {
      if (!(error instanceof ReplicationError)) throw error;
      this.fail(error);
    }
  }

  #acknowledge(acknowledgement: Acknowledgement): void {
    const { database, durable } = acknowledgement;
    const before = this.progress.positions.get(database);
    this.progress.update(acknowledgement);
    if (before?.durable.txid !== durable.txid || before.durable.checksum !== durable.checksum) {
      this.#options.cursor.acknowledged(database, durable);
    }
  }

  /** LiteFS ends its request behind the map; a replica of Skein does when it leaves. */
  #onInputEnd(): void {
    if (this.hello.dialect === 'skein') this.#ending.abort();
  }
}

function silent(silenceMs: number): ReplicationError {
  const message = `Cannot go on: nothing came from the replica for ${silenceMs / 1000} s`;
  return new ReplicationError('PEER_SILENT', message);
}

function broken(error: Error): ReplicationError {
  const message = `Cannot go on: the connection broke (${error.message})`;
  return new ReplicationError('PEER_UNREACHABLE', message, { cause: error });
}

/** What the source threw. A bug is thrown on. */
export function sendFailure(error: unknown): ReplicationError {
  if (error instanceof AssertionError) throw error;
  if (error instanceof ReplicationError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const message = `Cannot go on: the log cannot be sent (${reason})`;
  return new ReplicationError('SEND_FAILED', message, { cause: error });
}
