// The node of an application, as its daemon tells it over its socket.
//
// Invariants: the state is what the daemon said last, in the order in which it was said; while
// there is no daemon to be heard it is `no-primary`, whatever it was before.

import { get } from 'node:http';
import { hostname } from 'node:os';
import { text } from 'node:stream/consumers';

import type { NodeSettings } from '../connect-node.ts';
import { SkeinError } from '../errors.ts';
import type {
  NodeEventName,
  NodeListener,
  NodeState,
  NodeView,
  Position,
  PositionTarget,
  WaitOptions,
} from '../node-view.ts';
import { maybeReadRole, type RoleNow } from './mount-role.ts';
import { PositionWaiters } from './position-waiters.ts';
import { openSocketPath, socketPathOf } from './socket-path.ts';
import { StateStream } from './state-stream.ts';
import { createState, type StateParts } from './state.ts';
import { parseSettled, parseToldState, takePositions } from './told-state.ts';

/** After a daemon is gone it is looked for at once, then less and less often. */
const RETRY_MS_MIN = 20;
const RETRY_MS_MAX = 1_000;
/** Asked for by refresh(), of a daemon on this machine. */
const REFRESH_TIMEOUT_MS = 5_000;

export class DaemonNode implements NodeView {
  readonly mountPath: string;
  readonly databaseName: string | undefined;
  readonly #socketPath: string;
  readonly #listeners: Readonly<Record<NodeEventName, Set<NodeListener>>> = {
    state: new Set(),
    role: new Set(),
    position: new Set(),
  };
  readonly #waiters = new PositionWaiters();
  #positions: ReadonlyMap<string, Position> = new Map();
  #state: NodeState;
  #seq = 0;
  #generation = 0;
  #stream: StateStream | undefined;
  /** Whether the daemon has said anything since it was connected to. */
  #isHeard = false;
  #retryMs = RETRY_MS_MIN;
  #retry: NodeJS.Timeout | undefined;
  #lastError: Error | undefined;
  #isClosed = false;

  constructor(settings: NodeSettings) {
    this.mountPath = settings.mountPath;
    this.databaseName = settings.databaseName;
    this.#socketPath = socketPathOf(settings);
    const name = settings.nodeName ?? hostname();
    const positions = this.#positions;
    this.#state = createState({ name, role: 'no-primary', epoch: 0, lagMs: 0, positions });
    this.#connect();
  }

  get state(): NodeState {
    return this.#state;
  }

  get isPrimary(): boolean {
    return this.#state.role === 'primary';
  }

  get generation(): number {
    return this.#generation;
  }

  /** Resolves when the daemon has been heard. Rejects with NODE_UNREACHABLE. */
  async connected(timeoutMs: number): Promise<void> {
    if (this.#isHeard || timeoutMs === 0) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        stop();
        reject(this.#unreachable());
      }, timeoutMs);
      const stop = this.on('state', () => {
        if (!this.#isHeard) return;
        clearTimeout(timer);
        stop();
        resolve();
      });
    });
  }

  on(event: NodeEventName, listener: NodeListener): () => void {
    // The same function may be given twice, and ends twice.
    const own: NodeListener = (state) => listener(state);
    this.#listeners[event].add(own);
    return () => void this.#listeners[event].delete(own);
  }

  async refresh(): Promise<void> {
    if (this.#isClosed) throw closedError();
    const seq = await this.#askSeq();
    // What counts is what comes over the stream: the two connections know no order.
    while (this.#isHeard && this.#seq < seq) await this.#nextState();
    if (!this.#isHeard) throw this.#unreachable();
  }

  roleNow(): RoleNow {
    return maybeReadRole(this.mountPath) ?? this.#state;
  }

  waitForPosition(
    database: string,
    target: PositionTarget,
    options: WaitOptions = {},
  ): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError());
    return this.#waiters.wait(this.#state, { database, target }, options);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#stream?.close();
    this.#waiters.end(closedError());
    this.#becomeUnheard();
    return Promise.resolve();
  }

  #connect(): void {
    this.#isHeard = false;
    this.#stream = new StateStream({
      socketPath: this.#socketPath,
      onLine: (line) => this.#take(line),
      onEnd: (error) => this.#lost(error),
    });
  }

  #lost(error: Error): void {
    this.#lastError = error;
    this.#becomeUnheard();
    this.#retry = setTimeout(() => this.#connect(), this.#retryMs);
    this.#retry.unref();
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
  }

  #becomeUnheard(): void {
    if (!this.#isHeard) return;
    this.#isHeard = false;
    const { name, epoch } = this.#state;
    // Where databases stand is still true: their files are as they were.
    const positions = this.#positions;
    this.#change({ name, role: 'no-primary', epoch, lagMs: 0, positions });
  }

  #take(line: string): void {
    const told = parseToldState(line);
    if (!this.#isHeard) this.#becomeHeard();
    this.#seq = told.seq;
    const hasMoved = Object.keys(told.positions).length > 0;
    if (hasMoved) {
      const positions = new Map(this.#positions);
      takePositions(told, positions);
      this.#positions = positions;
    }
    const { name, role, epoch, primary, lagMs } = told;
    this.#change({ name, role, epoch, primary, lagMs, positions: this.#positions }, hasMoved);
  }

  #becomeHeard(): void {
    this.#isHeard = true;
    this.#generation += 1;
    this.#retryMs = RETRY_MS_MIN;
    this.#positions = new Map();
  }

  #change(parts: StateParts, hasMoved = false): void {
    const before = this.#state;
    this.#state = createState(parts);
    this.#waiters.update(this.#state);
    if (hasOtherRole(before, this.#state)) this.#tell('role');
    if (hasMoved) this.#tell('position');
    this.#tell('state');
  }

  #nextState(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.on('state', () => {
        stop();
        resolve();
      });
    });
  }

  #tell(event: NodeEventName): void {
    for (const listener of this.#listeners[event]) {
      try {
        listener(this.#state);
      } catch (error) {
        // It is the application's, and not to be taken for one of the connection.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** The number of the line by which everything is told that is committed now. */
  async #askSeq(): Promise<number> {
    try {
      return parseSettled(await ask(this.#socketPath));
    } catch (error) {
      this.#lastError = error as Error;
      throw this.#unreachable();
    }
  }

  #unreachable(): SkeinError {
    const cause = this.#lastError;
    const { code } = (cause ?? {}) as NodeJS.ErrnoException;
    return new SkeinError(
      'NODE_UNREACHABLE',
      `Cannot reach the node at ${this.#socketPath}${code === undefined ? '' : `: ${code}`}`,
      {
        cause,
        hint:
          code === 'EACCES'
            ? 'Give the group of the application mode 0710 on the data folder'
            : 'Start it: skein mount; or set enabled to false to do without',
      },
    );
  }
}

function ask(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { path: socketPath, close } = openSocketPath(path);
    const options = {
      socketPath,
      path: '/v1/state/settled',
      agent: false,
      timeout: REFRESH_TIMEOUT_MS,
    };
    const request = get(options, (response) => {
      if (response.statusCode === 200) text(response).then(resolve, reject);
      else reject(new Error(`The node answers ${response.statusCode}`));
    });
    request.once('timeout', () => request.destroy(new Error('The node does not answer')));
    request.on('error', reject);
    request.once('close', close);
  });
}

function hasOtherRole(before: NodeState, after: NodeState): boolean {
  return (
    before.role !== after.role ||
    before.epoch !== after.epoch ||
    before.primary?.name !== after.primary?.name ||
    before.primary?.url !== after.primary?.url ||
    before.primary?.proxyUrl !== after.primary?.proxyUrl ||
    before.primary?.sqlUrl !== after.primary?.sqlUrl
  );
}

function closedError(): SkeinError {
  return new SkeinError('NODE_CLOSED', 'The view of the node is closed');
}
