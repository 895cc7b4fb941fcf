// The application of examples/messages on one node, as a process: what `npm start`, tests and
// benches put behind the nodes of a cluster.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

import { SOURCE_FLAGS } from '../source-flags.ts';

/** Of the workspace, seen from src/ and from dist/. */
const root = dirname(dirname(dirname(dirname(import.meta.dirname))));

export interface MessagesNode {
  readonly name: string;
  readonly mountPath: string;
  /** The node's own folder; undefined: a plain folder, without Skein. */
  readonly dataPath: string | undefined;
  readonly databaseName: string;
  readonly host: string;
  /** Where the application listens. */
  readonly port: number;
}

/** What the application has told in its log of a message that it created. */
export interface CreatedMessage {
  readonly messageId: number;
  /** As the client named the server that it talked to: "localhost:8002". */
  readonly door: string | undefined;
}

export interface MessagesAppOptions extends MessagesNode {
  /** The folder of the example; default that of this checkout. */
  readonly exampleFolder?: string;
  /** Runs what `tsc -b` has made of the packages, as users do. */
  readonly isBuilt?: boolean;
  /** A command that runs it in its own place: `['nsenter', '--net=…']`. */
  readonly prefix?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  readonly onCreated?: (message: CreatedMessage) => void;
}

export interface MessagesApp {
  readonly pid: number;
  /** Past the proxy. */
  readonly url: string;
  /** Resolves when the process is gone, for whatever reason. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

interface LogLine {
  readonly msg?: string;
  readonly level?: number;
  readonly messageId?: number;
  readonly door?: string;
}

/** Of pino: what somebody has to look at. */
const LEVEL_ERROR = 50;

/** The environment in which the scripts of the example run for a node. */
export function messagesEnvironment(node: MessagesNode): NodeJS.ProcessEnv {
  const { name, mountPath, dataPath, databaseName, host, port } = node;
  return {
    NODE_NAME: name,
    SKEIN_MOUNT_PATH: mountPath,
    SKEIN_DATABASE_NAME: databaseName,
    SKEIN_PROXY_TARGET: `${host}:${port}`,
    ...(dataPath === undefined ? { SKEIN_ENABLED: 'false' } : { SKEIN_DATA_PATH: dataPath }),
  };
}

/** Resolves when it listens; rejects when it ends instead. */
export async function startMessagesApp(options: MessagesAppOptions): Promise<MessagesApp> {
  const { name, host, port, onCreated } = options;
  const child = spawnScript('main.ts', options, ['ignore', 'pipe', 'inherit', 'ipc']);
  const ended = once(child, 'exit').then(() => undefined);
  const listening = new Promise<true>((resolve) => {
    createInterface({ input: child.stdout! }).on('line', (text) => {
      const line = maybeParse(text);
      const { msg = '', level = 0, messageId, door } = line ?? {};
      if (msg.startsWith('Server listening')) resolve(true);
      else if (messageId !== undefined) onCreated?.({ messageId, door });
      else if (line === undefined || level >= LEVEL_ERROR) process.stderr.write(`${text}\n`);
    });
  });
  const isListening = await Promise.race([listening, ended]);
  if (isListening === undefined) throw new Error(`The application of ${name} ended at its start`);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return {
    pid: child.pid!,
    url: `http://${host}:${port}`,
    ended,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

/** Puts the migrations into the database of the node, where that is the primary's. */
export async function migrateMessages(options: MessagesAppOptions): Promise<void> {
  await runScript('migrate.ts', options, ['--if-primary']);
}

export interface Superuser {
  readonly username: string;
  readonly password: string;
}

/** Makes somebody who may use the admin, on whichever node. */
export async function createMessagesSuperuser(
  options: MessagesAppOptions,
  { username, password }: Superuser,
): Promise<void> {
  const environment = {
    SKEIN_SUPERUSER_USERNAME: username,
    SKEIN_SUPERUSER_EMAIL: `${username}@example.com`,
    SKEIN_SUPERUSER_PASSWORD: password,
  };
  await runScript('create-superuser.ts', { ...options, environment });
}

async function runScript(
  script: string,
  options: MessagesAppOptions,
  args: readonly string[] = [],
): Promise<void> {
  const child = spawnScript(script, options, 'inherit', args);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${script} fails on ${options.name}: code ${code}`);
}

function spawnScript(
  script: string,
  options: MessagesAppOptions,
  stdio: 'inherit' | ('ignore' | 'pipe' | 'inherit' | 'ipc')[],
  args: readonly string[] = [],
): ChildProcess {
  const { exampleFolder = join(root, 'examples', 'messages'), environment = {} } = options;
  const { prefix = [], isBuilt = false } = options;
  const node = [process.execPath, ...(isBuilt ? [] : SOURCE_FLAGS)];
  const command = [...prefix, ...node, join(exampleFolder, 'src', script), ...args];
  const [program, ...rest] = command;
  return spawn(program!, rest, {
    env: { ...process.env, ...messagesEnvironment(options), ...environment },
    // Its own process group: Ctrl-C in a terminal is ours, and we stop it in order.
    detached: true,
    stdio,
  });
}

function maybeParse(text: string): LogLine | undefined {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
}
