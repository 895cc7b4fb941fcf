// `docker compose` and `docker-compose` as commands, for the words of a README: what they print has
// the form of Docker's, as far as people read it.

import { parseArgs } from 'node:util';

import type { CommandResult } from '../walkthrough.ts';
import type { ComposeProject, ContainerState } from './project.ts';

const DONE: CommandResult = { output: '', status: 0 };
const USAGE_STATUS = 125;

/** Carries out what follows `docker compose`. */
export async function runComposeCommand(
  project: ComposeProject,
  args: readonly string[],
): Promise<CommandResult> {
  const { rest, profiles } = readGlobalFlags(args);
  const [command = '', ...own] = rest;
  switch (command) {
    case 'up':
      return up(project, own, profiles);
    case 'down':
      await project.down({ volumes: own.includes('-v') || own.includes('--volumes') });
      return DONE;
    case 'stop':
      for (const service of own) await project.stop(service);
      return DONE;
    case 'ps':
      return { output: formatStates(project), status: 0 };
    case 'logs':
      return { output: own.map((service) => project.logs(service)).join(''), status: 0 };
    case 'exec':
      return execute(project, own);
    default:
      return { output: `unknown docker command: "compose ${command}"\n`, status: USAGE_STATUS };
  }
}

function readGlobalFlags(args: readonly string[]): { rest: string[]; profiles: string[] } {
  const rest = [...args];
  const profiles: string[] = [];
  while (rest[0]?.startsWith('-') === true) {
    const [flag, inline] = rest.shift()!.split('=', 2);
    const value = inline ?? rest.shift() ?? '';
    if (flag === '--profile') profiles.push(value);
  }
  return { rest, profiles };
}

async function up(
  project: ComposeProject,
  args: string[],
  profiles: readonly string[],
): Promise<CommandResult> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      detach: { type: 'boolean', short: 'd' },
      build: { type: 'boolean' },
      wait: { type: 'boolean' },
      scale: { type: 'string', multiple: true, default: [] },
    },
  });
  const scale = Object.fromEntries(
    values.scale.map((each) => [each.split('=')[0], Number(each.split('=')[1])]),
  );
  const services = positionals.length > 0 ? { services: positionals } : {};
  const options = { ...services, scale, profiles, build: values.build === true };
  if (values.wait === true) await project.upAndHealthy(options);
  else await project.up(options);
  return DONE;
}

async function execute(project: ComposeProject, args: readonly string[]): Promise<CommandResult> {
  const [service = '', ...command] = args.filter((arg, index) => index > 0 || arg !== '-T');
  const { stdout, stderr, exitCode } = await project.exec(service, command);
  return { output: stdout + stderr, status: exitCode };
}

function formatStates(project: ComposeProject): string {
  const rows = project
    .ps()
    .filter(({ state }) => state === 'running')
    .map((each) => [`${project.name}-${each.name}`, each.service, statusOf(each), portsOf(each)]);
  const table = [['NAME', 'SERVICE', 'STATUS', 'PORTS'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join('   '),
  );
  return `${lines.join('\n')}\n`;
}

function statusOf({ health }: ContainerState): string {
  return health === 'none' ? 'Up' : `Up (${health === 'starting' ? 'health: starting' : health})`;
}

function portsOf({ ports }: ContainerState): string {
  return ports
    .map(({ hostAddress, hostPort, containerPort }) => {
      return `${hostAddress}:${hostPort ?? ''}->${containerPort}/tcp`;
    })
    .join(', ');
}
