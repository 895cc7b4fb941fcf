// The Django project of this folder on one node: its commands, and its server behind the node's
// proxy.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { onTestEnd, type TestScope } from '@skein/testkit';

export const PROJECT = join(import.meta.dirname, 'project');
const INTEGRATION = join(import.meta.dirname, '..', '..', 'integrations', 'django');

export interface DjangoSiteOptions {
  /** Where Django is. */
  readonly django: string;
  readonly nodeName: string;
  readonly databasePath: string;
  /** Of the node, for skein_django. */
  readonly dataPath: string;
  /** Module of its settings: "website.settings" is stock Django. */
  readonly settings: string;
}

export interface CommandResult {
  readonly exitCode: number | null;
  readonly output: string;
}

export class DjangoSite {
  readonly #environment: NodeJS.ProcessEnv;

  constructor(options: DjangoSiteOptions) {
    const { django, nodeName, databasePath, dataPath, settings } = options;
    this.#environment = {
      ...process.env,
      PYTHONPATH: [django, INTEGRATION].join(':'),
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONUNBUFFERED: '1',
      DJANGO_SETTINGS_MODULE: settings,
      DJANGO_SECRET_KEY: 'the-same-on-all-nodes',
      DATABASE_PATH: databasePath,
      DATA_PATH: dataPath,
      NODE_NAME: nodeName,
    };
  }

  /** `manage.py ARGS`; what it writes to both outputs. */
  async manage(
    args: readonly string[],
    environment: NodeJS.ProcessEnv = {},
  ): Promise<CommandResult> {
    const child = spawn('python3', ['manage.py', ...args], {
      cwd: PROJECT,
      env: { ...this.#environment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'close') as Promise<[number | null]>;
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [exitCode] = await ended;
    return { exitCode, output: stdout + stderr };
  }

  /** Serves at `port` until the test is over. Returns what reads its log. */
  serve(t: TestScope, port: number, logPath: string): () => string {
    const log = openSync(logPath, 'a');
    const args = ['manage.py', 'runserver', '--noreload', `127.0.0.1:${port}`];
    const child = spawn('python3', args, {
      cwd: PROJECT,
      env: this.#environment,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    onTestEnd(t, async () => {
      const ended = once(child, 'exit');
      if (child.exitCode === null && child.kill('SIGKILL')) await ended;
    });
    return () => readFileSync(logPath, 'utf8');
  }
}
