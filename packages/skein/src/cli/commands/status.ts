// skein status: how a node is, and its databases.

import { formatDuration, formatSize } from '@skein/host';
import type { Command } from 'commander';

import type { NodeStatus } from '../../api/node-control.ts';
import { findDataFolder } from '../../config/load-config.ts';
import { describeCluster } from '../cluster-view.ts';
import type { CommandContext } from '../command-context.ts';
import { UsageError } from '../errors.ts';
import { openNode } from '../node-access.ts';
import { configSources, type PlaceFlags, withPlace } from '../options.ts';
import { formatPairs, formatTable } from '../table.ts';
import { watchStatus } from '../watch-status.ts';

interface StatusFlags extends PlaceFlags {
  readonly json: boolean;
  readonly watch: boolean;
}

const HELP = `
Asks the node that runs on the data folder; without one the folder is opened, and recovered if
need be.

Examples:
  skein status --data /var/lib/app
  skein status --data /var/lib/app --watch
  skein status --json | jq '.databases[].txid'`;

export function addStatus(program: Command, context: CommandContext): void {
  const command = program
    .command('status')
    .summary('show the node and its databases')
    .description('Shows the node and its databases.');
  withPlace(command)
    .option('--json', 'as JSON', false)
    .option('--watch', 'again and again: in place on a terminal, else a line a change', false)
    .addHelpText('after', HELP)
    .action(async (flags: StatusFlags) => {
      if (flags.watch && flags.json) throw new UsageError('Say --watch or --json, not both');
      const node = await openNode(findDataFolder(configSources(context, flags)), false);
      try {
        if (flags.watch) {
          const { stdout } = context;
          await watchStatus({ status: () => node.status(), draw: describe, stdout });
          return;
        }
        const status = await node.status();
        const text = flags.json ? `${JSON.stringify(status, undefined, 2)}\n` : describe(status);
        context.stdout.write(text);
      } finally {
        node.close();
      }
    });
}

function describe(status: NodeStatus): string {
  const { mountpoint, log, passthrough, warnings } = status;
  const uptime = formatDuration(Math.floor(status.uptimeMs / 1000) * 1000);
  const isDurable = log.lastLsn === log.durableLsn ? '' : `, synced up to ${log.durableLsn}`;
  const pairs: (readonly [string, string])[] = [
    ['node', `${status.nodeId}, skein ${status.version}`],
    ['mount', mountpoint === undefined ? 'none' : `${mountpoint}, for ${uptime}`],
    ['data', status.dataFolder],
    ['log', `record ${log.lastLsn}${isDurable}, ${formatSize(log.sizeBytes)}`],
  ];
  if (log.failure !== undefined) pairs.push(['failure', log.failure]);
  if (mountpoint !== undefined) {
    const reason = passthrough.reason === undefined ? '' : `: ${passthrough.reason}`;
    pairs.push(['passthrough', `${passthrough.isActive ? 'yes' : 'no'}${reason}`]);
  }
  for (const warning of warnings) pairs.push(['warning', warning]);
  const cluster = describeCluster(status);
  const nodes = cluster === '' ? '' : `${cluster}\n`;
  return `${formatPairs(pairs)}\n${nodes}${describeDatabases(status)}`;
}

function describeDatabases({ databases }: NodeStatus): string {
  if (databases.length === 0) return 'There are no databases.\n';
  const table = formatTable(
    [
      { title: 'DATABASE' },
      { title: 'SIZE', isNumber: true },
      { title: 'PAGES', isNumber: true },
      { title: 'PAGE SIZE', isNumber: true },
      { title: 'JOURNAL' },
      { title: 'TXID' },
      { title: 'CHECKSUM' },
    ],
    databases.map((database) => [
      database.name,
      formatSize(database.sizeBytes),
      String(database.pageCount),
      String(database.pageSize ?? '-'),
      database.journalMode,
      database.txid,
      database.checksum,
    ]),
  );
  const refusals = databases
    .filter(({ refusal }) => refusal !== undefined)
    .map(({ name, refusal }) => `${name} takes no writes: ${refusal}\n`);
  return table + refusals.join('');
}
