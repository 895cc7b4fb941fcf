// The command that makes a superuser: on the primary in the database, on a replica by asking the
// site of the primary, which wants a proof (superuser-routes.ts).
//
//   SKEIN_SUPERUSER_USERNAME, _EMAIL, _PASSWORD     whom to create; what is missing is asked
//   SKEIN_SUPERUSER_BY, _BY_PASSWORD                who creates, on a replica; not for the first
//
// A password is never an argument: those can be read by everybody on the machine.

import { setTimeout as delay } from 'node:timers/promises';

import {
  hashPassword,
  passwordProblem,
  SCRYPT_PARAMETERS,
  type ScryptParameters,
} from '../auth/password.ts';
import { Connections, selectOne } from '../database/handle.ts';
import { sqliteFailure } from '../database/sqlite-errors.ts';
import { AdminError } from '../errors.ts';
import type { AdminNode } from '../options.ts';
import { signRequest, type SuperuserRequest } from '../routes/superuser-routes.ts';
import { logAction } from '../store/history.ts';
import { createOwnTables, hasOwnTables, readKey } from '../store/own-tables.ts';
import {
  emailProblem,
  hasUsers,
  maybeUser,
  tryCreateUser,
  usernameProblem,
} from '../store/users.ts';
import { Prompter } from './prompt.ts';

export interface CreateSuperuserOptions {
  /** Path of the database on the mount. */
  readonly database: string;
  /** Says whether this node is the primary, and where that is; without it the database does. */
  readonly node?: AdminNode | undefined;
  /** Where the site is, as in its options; default `/admin`. */
  readonly basePath?: string;
  /**
   * Where an application answers that reaches the primary, as `http://localhost:8002`: the proxy of
   * this node, or that of the primary. Default what the node says of its primary.
   */
  readonly primaryUrl?: string | undefined;
  /** Default: process.env. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Default: process.stdin; asked only if it is a terminal, or nothing is missing. */
  readonly input?: NodeJS.ReadStream;
  readonly output?: NodeJS.WritableStream;
  readonly scrypt?: ScryptParameters;
}

/** Asks for what the environment does not say, creates, and says so. Throws ADMIN_SUPERUSER. */
export async function createSuperuser(options: CreateSuperuserOptions): Promise<void> {
  const environment = options.environment ?? process.env;
  const { input = process.stdin, output = process.stdout } = options;
  const prompter = new Prompter(input, output);
  try {
    const connections = new Connections(options.database);
    checkDatabase(connections, options.database);
    const wanted = await askForUser(prompter, environment, connections);
    const hash = await hashPassword(wanted.password, options.scrypt ?? SCRYPT_PARAMETERS);
    const user = { username: wanted.username, email: wanted.email, password: hash };
    const isHere = options.node?.isPrimary !== false && tryCreateHere(connections, options, user);
    if (!isHere) await createOnPrimary({ options, environment, prompter, connections, user });
    const where = isHere ? '' : ' on the primary';
    output.write(`Superuser ${wanted.username} was created${where}.\n`);
  } finally {
    prompter.close();
  }
}

interface WantedUser {
  readonly username: string;
  readonly email: string;
  readonly password: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

async function askForUser(
  prompter: Prompter,
  environment: Environment,
  connections: Connections,
): Promise<WantedUser> {
  const username = await prompter.ask({
    question: 'Username',
    given: environment['SKEIN_SUPERUSER_USERNAME'],
    variable: 'SKEIN_SUPERUSER_USERNAME',
    check: (text) => usernameProblem(text) ?? whyTaken(connections, text),
  });
  const given = environment['SKEIN_SUPERUSER_EMAIL'];
  const email = await prompter.ask({
    question: 'Email (may be empty)',
    // It is not worth a failure where nobody can be asked.
    given: given ?? (prompter.canAsk ? undefined : ''),
    variable: 'SKEIN_SUPERUSER_EMAIL',
    check: emailProblem,
  });
  const password = await prompter.askNewPassword({
    question: 'Password',
    given: environment['SKEIN_SUPERUSER_PASSWORD'],
    variable: 'SKEIN_SUPERUSER_PASSWORD',
    check: (text) => passwordProblem(text, username),
  });
  return { username, email, password };
}

/** Asked before the password is typed; the transaction looks again. */
function whyTaken(connections: Connections, username: string): string | undefined {
  const isTaken = connections.read(
    (database) => hasOwnTables(database) && maybeUser(database, username) !== undefined,
  );
  return isTaken ? `There is a user ${username} already` : undefined;
}

/** Before anything is asked. */
function checkDatabase(connections: Connections, path: string): void {
  try {
    connections.read(hasOwnTables);
  } catch (cause) {
    if (sqliteFailure(cause) !== 'cannot-open') throw cause;
    throw new AdminError('ADMIN_SUPERUSER', `Cannot open the database ${path}`, {
      cause,
      hint: 'The application makes it when it migrates on the primary',
    });
  }
}

/** False on a replica. */
function tryCreateHere(
  connections: Connections,
  { node }: CreateSuperuserOptions,
  user: WantedUser,
): boolean {
  try {
    connections.write((database) => {
      createOwnTables(database);
      const nowMs = Number(selectOne(database, 'SELECT unixepoch() AS now')!['now']) * 1000;
      if (!tryCreateUser(database, { ...user, nowMs })) throw taken(user.username);
      logAction(
        database,
        { user: '', node: node?.state.name ?? '', nowMs },
        { action: 'user', table: '', key: '', label: `${user.username} was added`, changes: [] },
      );
    });
    return true;
  } catch (error) {
    if (sqliteFailure(error) === 'readonly') return false;
    throw error;
  }
}

function taken(username: string): AdminError {
  return new AdminError('ADMIN_SUPERUSER', `Cannot create ${username}: there is one already`);
}

interface Forwarding {
  readonly options: CreateSuperuserOptions;
  readonly environment: Environment;
  readonly prompter: Prompter;
  readonly connections: Connections;
  /** With the hash for a password. */
  readonly user: WantedUser;
}

async function createOnPrimary(forwarding: Forwarding): Promise<void> {
  const { options, user } = forwarding;
  const url = options.primaryUrl ?? options.node?.state.primary?.proxyUrl;
  if (url === undefined) {
    throw new AdminError(
      'ADMIN_SUPERUSER',
      `Cannot create ${user.username}: this node is no primary, and none is known`,
      { hint: 'Run it on the primary, or say where its site is: primaryUrl' },
    );
  }
  const basePath = options.basePath ?? '/admin';
  const target = `${url.replace(/\/$/, '')}${basePath}`;
  await wakeSite(target, forwarding);
  const response = await ask(`${target}/superuser`, {
    method: 'POST',
    body: new URLSearchParams({ ...(await proveTo(forwarding)) }),
  });
  if (response.status === 201) return;
  const answer: unknown = await response.json().catch(() => undefined);
  const message =
    typeof answer === 'object' && answer !== null && 'message' in answer
      ? String(answer.message)
      : `its site answered ${response.status}`;
  throw new AdminError('ADMIN_SUPERUSER', `Cannot create ${user.username}: ${message}`);
}

/** Until the tables of the site, which the primary makes when it is asked, have arrived here. */
const TABLES_WAIT_MS = 15_000;
const TABLES_POLL_MS = 200;

/** The key of the site is in its tables. */
async function wakeSite(target: string, { connections, user }: Forwarding): Promise<void> {
  const isReady = (): boolean => connections.read(hasOwnTables);
  const until = performance.now() + TABLES_WAIT_MS;
  while (!isReady()) {
    if (performance.now() > until) {
      throw new AdminError(
        'ADMIN_SUPERUSER',
        `Cannot create ${user.username}: the tables of the site have not come from the primary`,
        { hint: `Is the site at ${target} that of the primary?` },
      );
    }
    // A form is what a proxy forwards; this one does nothing.
    const response = await ask(`${target}/superuser`, {
      method: 'POST',
      body: new URLSearchParams(),
    });
    await response.body?.cancel();
    await delay(TABLES_POLL_MS);
  }
}

async function proveTo(forwarding: Forwarding): Promise<SuperuserRequest> {
  const { connections, user, environment, prompter } = forwarding;
  const { key, isFirst, nowMs } = connections.read((database) => ({
    key: readKey(database),
    isFirst: !hasUsers(database),
    nowMs: Number(selectOne(database, 'SELECT unixepoch() AS now')!['now']) * 1000,
  }));
  const at = String(nowMs);
  const signed = { ...user, at, signature: signRequest(key, { ...user, at }) };
  if (isFirst) return { ...signed, byUsername: '', byPassword: '' };
  const byUsername = await prompter.ask({
    question: 'This node is a replica. Who creates it there: username of a superuser',
    given: environment['SKEIN_SUPERUSER_BY'],
    variable: 'SKEIN_SUPERUSER_BY',
    check: usernameProblem,
  });
  const byPassword = await prompter.askPassword({
    question: `Password of ${byUsername}`,
    given: environment['SKEIN_SUPERUSER_BY_PASSWORD'],
    variable: 'SKEIN_SUPERUSER_BY_PASSWORD',
    check: (text) => (text === '' ? 'The password is empty' : undefined),
  });
  return { ...signed, byUsername, byPassword };
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: 'manual' });
  } catch (cause) {
    throw new AdminError('ADMIN_SUPERUSER', `Cannot reach the site at ${url}`, {
      cause,
      hint: 'The application of the primary has to run',
    });
  }
}
