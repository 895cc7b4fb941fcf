// The thread that serves the mount: the engine, the device loop, and what comes from the main
// thread between two requests. It opens the data folder before there is a mount, so that a folder
// that cannot be opened hides nothing and keeps nobody waiting.
//
// From run() on it never turns its event loop: messages are taken from the port when the eventfd
// was signalled.

import { receiveMessageOnPort } from 'node:worker_threads';

import { DEFAULT_ENGINE_OPTIONS, Engine, type Exclusion, type FileOwner } from '@skein/engine';
import {
  DeviceLoop,
  findPassthroughObstacle,
  type InitFlag,
  maybeFuseTrace,
  type Negotiated,
  RequestCounts,
  trySetReadahead,
} from '@skein/fuse';
import {
  createNodeLog,
  type Log,
  NodeBackgroundIo,
  nodeDisk,
  nodeFileLocks,
  NodeMetrics,
  pinThreadToCpu,
  systemClock,
  systemRandom,
  trimMemory,
} from '@skein/host';

import type { PassthroughStatus } from '../api/node-control.ts';
import { BackingIds } from './backing-ids.ts';
import { createClientLocks } from './client-locks.ts';
import { createClientMemory } from './client-memory.ts';
import { ControlCalls } from './control-calls.ts';
import { Handles } from './handles.ts';
import { MountHandler } from './mount-handler.ts';
import { Nodes } from './nodes.ts';
import { Notifiers } from './notifiers.ts';
import { Refusals } from './refusals.ts';
import { ReplicaFeed } from './replica-feed.ts';
import { MountReplicaLocks } from './replica-locks.ts';
import { RoutedHandler } from './routed-handler.ts';
import { PRIMARY_NAME, StatusFiles } from './status-files.ts';
import { StatusFilesHandler } from './status-files-handler.ts';
import { StayAwake } from './stay-awake.ts';
import { WalPages } from './wal-pages.ts';
import { isWakingDear } from './waking-cost.ts';
import {
  fromErrorData,
  type FromMountThread,
  type MountThreadData,
  type ToMountThread,
} from './thread-messages.ts';

/** Big files are then read in requests of this size. */
const READAHEAD_BYTES = 1 << 20;

/** What large transactions have freed is given back to the system so long after a request. */
const TRIM_MS = 10_000;

const INIT_FLAGS: readonly InitFlag[] = [
  'ASYNC_READ',
  'BIG_WRITES',
  'PARALLEL_DIROPS',
  // Saves SQLite a GETATTR before every SETATTR: nothing here is ever executed.
  'HANDLE_KILLPRIV',
  // A new modification time does not mean that the pages are old: of that we notify.
  'EXPLICIT_INVAL_DATA',
];

const SWITCHED_OFF: PassthroughStatus = {
  isActive: false,
  reason: 'it is switched off by configuration',
};

export class MountThread {
  readonly #data: MountThreadData;
  readonly #log: Log;
  readonly #nodes = new Nodes();
  readonly #notifiers = new Notifiers({
    nodes: this.#nodes,
    forgetName: (name) => this.#send({ kind: 'forget-name', name }),
  });
  readonly #replicaLocks = new MountReplicaLocks({
    locks: nodeFileLocks,
    send: (message) => this.#send(message),
  });
  readonly #background: NodeBackgroundIo;
  readonly #metrics = new NodeMetrics();
  readonly #statusFiles = new StatusFiles(systemClock);
  readonly #engine: Engine;
  readonly #calls: ControlCalls;
  readonly #feed: ReplicaFeed | undefined;
  readonly #exclusions = new Map<number, (outcome: Exclusion | Error) => void>();
  #passthrough: PassthroughStatus = SWITCHED_OFF;
  #deviceMinor = -1;
  #folderOwner: FileOwner = { uid: 0, gid: 0, mode: 0 };
  #nextExclusion = 1;
  /** When memory is given back next, by the monotonic clock. */
  #trimMs = Number.POSITIVE_INFINITY;
  #loop: DeviceLoop | undefined;

  /** Opens the data folder. Throws EngineError. */
  constructor(data: MountThreadData) {
    this.#data = data;
    const { config, wakeFd } = data;
    if (config.pinCpu !== undefined) pinThreadToCpu(config.pinCpu);
    this.#log = createNodeLog(config.log);
    this.#background = new NodeBackgroundIo({ wakeFd });
    try {
      this.#engine = this.#openEngine();
    } catch (error) {
      this.#background.close();
      throw error;
    }
    this.#calls = new ControlCalls({
      engine: this.#engine,
      send: (message) => this.#send(message),
      passthrough: () => this.#passthrough,
      newOwner: () => ({ ...this.#folderOwner, mode: 0o644 }),
    });
    this.#feed = this.#createFeed();
    const { replayedCount } = this.#engine;
    const publishedLog = this.#engine.log.published.memory;
    this.#send({ kind: 'opened', replayedCount, metrics: this.#metrics.buffer, publishedLog });
  }

  /** Serves until the mount is gone, or the main thread says that it is enough. */
  serve(deviceFd: number, deviceMinor: number, folderOwner: FileOwner): void {
    const { config, wakeFd, counts } = this.#data;
    this.#deviceMinor = deviceMinor;
    this.#folderOwner = folderOwner;
    this.#notifiers.connect(deviceFd, wakeFd);
    this.#replicaLocks.connect();
    const handler = this.#createHandler(deviceFd, folderOwner);
    const statusFiles = this.#statusFiles;
    const status = new StatusFilesHandler({ files: statusFiles, owner: folderOwner });
    const stayAwake = this.#createStayAwake();
    const passthrough: readonly InitFlag[] = config.passthrough === 'auto' ? ['PASSTHROUGH'] : [];
    this.#loop = new DeviceLoop({
      fd: deviceFd,
      wakeFd,
      handler: new RoutedHandler({ databases: handler, statusFiles, status }),
      init: { flags: [...INIT_FLAGS, ...passthrough] },
      counts: new RequestCounts(counts),
      trace: maybeFuseTrace(process.env),
      negotiated: (negotiated) => this.#negotiated(negotiated, deviceFd),
      received: () => {
        stayAwake?.requestCame();
        if (this.#trimMs === Number.POSITIVE_INFINITY) {
          this.#trimMs = systemClock.monotonicMs() + TRIM_MS;
        }
        this.#engine.served();
      },
      idle: () => {
        handler.throwBug();
        return this.#goOn();
      },
      wake: () => this.#wake(),
      handlerError: (error, request) => {
        this.#log.error('A request failed for a reason that must not be', { request });
        throw error;
      },
    });
    try {
      this.#loop.run();
    } finally {
      stayAwake?.close();
      this.#notifiers.close();
    }
  }

  /** Nobody uses the mount any more. */
  close(): void {
    try {
      this.#background.settle();
      this.#engine.close();
    } finally {
      // Its thread would hold up the end of the process.
      this.#background.close();
    }
  }

  #openEngine(): Engine {
    const { config } = this.#data;
    const passesThrough = (): boolean => this.#passthrough.isActive;
    const { dataFolder, retentionMs, retentionBytesMax, segmentBytes } = config;
    const { overlayBytes, checkpointBytes, replicaWalBytesMax } = config;
    return Engine.open(
      {
        disk: nodeDisk,
        fileLocks: nodeFileLocks,
        background: this.#background,
        clock: systemClock,
        random: systemRandom,
        log: this.#log,
        metrics: this.#metrics,
        kernel: this.#notifiers,
        locks: createClientLocks({
          deviceMinor: () => this.#deviceMinor,
          nodes: this.#nodes,
          requestExclusion: (database, done) => this.#requestExclusion(database, done),
        }),
        memory: createClientMemory(this.#notifiers, passesThrough),
        replicaLocks: this.#replicaLocks,
      },
      {
        ...DEFAULT_ENGINE_OPTIONS,
        dataFolder,
        role: this.#data.role,
        retentionMs,
        retentionBytesMax,
        segmentBytes,
        overlayBytes,
        checkpointBytes,
        replicaWalBytesMax,
        get canPassThrough() {
          return passesThrough();
        },
      },
    );
  }

  #createFeed(): ReplicaFeed | undefined {
    const { replica } = this.#engine;
    if (replica === undefined) return undefined;
    const send = (message: FromMountThread): void => this.#send(message);
    return new ReplicaFeed({ engine: this.#engine, replica, send });
  }

  #createHandler(deviceFd: number, folderOwner: FileOwner): MountHandler {
    const { folder } = this.#engine;
    return new MountHandler({
      engine: this.#engine,
      nodes: this.#nodes,
      handles: new Handles(new BackingIds(deviceFd)),
      walPages: new WalPages(this.#notifiers),
      statusFiles: this.#statusFiles,
      isReplica: this.#data.role === 'replica',
      refusals: new Refusals({
        log: this.#log,
        clock: systemClock,
        primaryName: () => this.#statusFiles.primaryName,
      }),
      clock: systemClock,
      folderOwner,
      space: () => nodeDisk.space('mount.space', folder.path),
      modifiedMs: (name) => {
        const stat = nodeDisk.stat('mount.stat', `${folder.databases}/${name}/database`);
        return stat?.modifiedMs ?? systemClock.wallMs();
      },
      forgetName: (name) => this.#notifiers.forgetName(name),
    });
  }

  #createStayAwake(): StayAwake | undefined {
    const { stayAwake } = this.#data.config;
    const isOn = stayAwake === 'on' || (stayAwake === 'auto' && isWakingDear());
    return isOn ? new StayAwake() : undefined;
  }

  #negotiated(negotiated: Negotiated, deviceFd: number): void {
    if (this.#data.config.passthrough === 'auto') {
      const fd = this.#engine.folder.lock.fd!;
      const reason = findPassthroughObstacle(negotiated, deviceFd, fd);
      this.#passthrough = reason === undefined ? { isActive: true } : { isActive: false, reason };
    }
    trySetReadahead(this.#deviceMinor, READAHEAD_BYTES);
    this.#send({ kind: 'serving', passthrough: this.#passthrough });
  }

  /** What is to be done between requests; returns how long the loop may sleep. */
  #goOn(): number {
    const engine = this.#engine;
    engine.served();
    engine.idle();
    const nowMs = systemClock.monotonicMs();
    if (engine.nextTickMs <= nowMs) engine.tick();
    this.#feed?.tellMoves();
    if (this.#trimMs <= nowMs) {
      trimMemory();
      this.#trimMs = Number.POSITIVE_INFINITY;
    }
    if (engine.hasWork) return 0;
    return Math.max(Math.ceil(Math.min(engine.nextTickMs, this.#trimMs) - nowMs), 0);
  }

  #wake(): void {
    this.#background.drain();
    this.#notifiers.drain();
    for (;;) {
      const received = receiveMessageOnPort(this.#data.port);
      if (received === undefined) return;
      this.#take(received.message);
    }
  }

  #take(message: ToMountThread): void {
    switch (message.kind) {
      case 'stop':
        this.#loop!.stop();
        return;
      case 'call':
        this.#calls.take(message);
        return;
      case 'receive':
        this.#feed!.receive(message.id, message.batch);
        return;
      case 'receive-file':
        this.#feed!.receiveFile(message.id, message.file);
        return;
      case 'joined':
      case 'index':
        this.#replicaLocks.take(message);
        return;
      case 'retire':
        this.#replicaLocks.end();
        this.#send({ kind: 'retired' });
        return;
      case 'show-state':
        if (this.#statusFiles.show(message.state)) this.#notifiers.forgetName(PRIMARY_NAME);
        return;
      case 'excluded': {
        const { id, error } = message;
        const done = this.#exclusions.get(id);
        this.#exclusions.delete(id);
        const end = (): void => this.#send({ kind: 'end-exclusion', id });
        done?.(error === undefined ? { end } : fromErrorData(error));
        return;
      }
      case 'serve':
        throw new Error('The mount is being served already');
    }
  }

  #requestExclusion(database: string, done: (outcome: Exclusion | Error) => void): void {
    const id = this.#nextExclusion++;
    this.#exclusions.set(id, done);
    this.#send({ kind: 'exclude', id, database });
  }

  #send(message: FromMountThread): void {
    this.#data.port.postMessage(message);
  }
}
