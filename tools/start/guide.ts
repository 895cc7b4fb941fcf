// What `npm start` prints when all is up, and while it serves.

import { formatRows } from '@skein/testkit';

export interface ShownNode {
  readonly name: string;
  readonly role: string;
  readonly url: string;
  /** As they are typed from where npm was called. */
  readonly mountpoint: string;
  readonly dataFolder: string;
}

export function formatNodes(nodes: readonly ShownNode[]): string {
  const rows = nodes.map(({ name, role, url, mountpoint }) => [name, role, url, mountpoint]);
  return formatRows(
    [['node', 'role', 'application, behind its proxy', 'mount'], ...rows],
    [0, 1, 2, 3],
  );
}

/** Commands to be tried, each with what it shows. */
export function formatSuggestions(nodes: readonly ShownNode[], database: string): string {
  const primary = nodes.find(({ role }) => role === 'primary') ?? nodes[0]!;
  const other = nodes.findLast((node) => node !== primary) ?? primary;
  const create = (content: string): string =>
    `-X POST ${other.url}/api/messages/create/ -d '{"content": "${content}"}'`;
  const session = 'curl -s -b jar -c jar';
  const suggestions = [
    ['A write at any node is executed by the primary:', `curl ${create('Hello')}`],
    ['A read at any node is local:', `curl ${primary.url}/api/messages/`],
    [
      'A client that keeps cookies sees its own writes at once:',
      `${session} ${create('Mine')} && ${session} ${other.url}/api/messages/`,
    ],
    ['The database is a file, on every node:', `ls -l ${other.mountpoint}`],
    ['How the nodes are:', `npm run skein -- status --data ${other.dataFolder}`],
    [
      'A replica refuses to be written past its proxy:',
      `sqlite3 ${other.mountpoint}/${database} "DELETE FROM messages"`,
    ],
    ['The admin, for a user that is made first:', 'npm run createsuperuser'],
    ['', `open ${other.url}/admin/`],
    ['One more node:', 'npm start -- --add'],
  ];
  return suggestions
    .map(([what, command]) => (what === '' ? `    ${command}` : `  ${what}\n    ${command}`))
    .join('\n');
}

/** Why a node is not what it is configured for. */
export function formatProblem(node: string, code: string, message: string): string {
  return `${node}: ${message} (${code})`;
}

/** `door` is the node whose proxy the client talked to. */
export function formatWrite(messageId: number, door: string, executor: string): string {
  return door === executor
    ? `${executor}: message ${messageId} written`
    : `${door} → ${executor}: message ${messageId} forwarded and written`;
}

export function formatReplicated(node: string, database: string, txid: string): string {
  return `${node}: has transaction ${Number.parseInt(txid, 16)} of ${database}`;
}
