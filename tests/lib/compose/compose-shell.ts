// A terminal in which `docker compose` and `docker-compose` are a project of ours, and the ports
// that the project publishes are where it says. Everything else is as in any shell, pipes included.

import { chmodSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { delimiter, dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';

import { onTestEnd, tempDir, type TestScope } from '@skein/testkit';

import { type CommandResult, runInShell } from '../walkthrough.ts';
import { runComposeCommand } from './compose-command.ts';
import type { ComposeProject } from './project.ts';

/** Stands for the program `docker-compose`: passes its arguments on, prints what comes back. */
const CLIENT = `#!${process.execPath}
const args = process.argv.slice(2);
const { request } = require('node:http');
const socketPath = require('node:path').join(__dirname, 'compose.sock');
const asked = request({ socketPath, method: 'POST' }, (response) => {
  response.pipe(process.stdout);
  process.exitCode = Number(response.headers['exit-status']);
});
asked.end(JSON.stringify(args[0] === 'compose' ? args.slice(1) : args));
`;

/**
 * What runs a command line; its folder is that of the project's file. `programs`: scripts that
 * stand for other commands.
 */
export async function openComposeShell(
  t: TestScope,
  project: ComposeProject,
  programs: Readonly<Record<string, string>> = {},
): Promise<(command: string) => Promise<CommandResult>> {
  const cwd = dirname(project.copy);
  const bin = tempDir(t);
  const scripts = { docker: CLIENT, 'docker-compose': CLIENT, ...programs };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), script);
    chmodSync(join(bin, name), 0o755);
  }
  const server = createServer((request, response) => void answer(project, request, response));
  server.listen(join(bin, 'compose.sock'));
  await once(server, 'listening');
  onTestEnd(t, () => void server.close());
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
  return (command) => runInShell(withPublishedPorts(command, project), { cwd, env });
}

async function answer(
  project: ComposeProject,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let result: CommandResult;
  try {
    result = await runComposeCommand(project, (await json(request)) as string[]);
  } catch (error) {
    result = { output: `${String(error)}\n`, status: 1 };
  }
  response.setHeader('exit-status', result.status);
  response.end(result.output);
}

function withPublishedPorts(command: string, project: ComposeProject): string {
  return command.replaceAll(/\blocalhost:(\d+)/g, (whole, port: string) => {
    return project.maybeUrlOf(Number(port))?.replace('http://', '') ?? whole;
  });
}
