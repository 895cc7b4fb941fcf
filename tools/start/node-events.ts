// What the nodes tell while they work: lines of JSON from GET /events, through the socket in the
// data folder.

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Of the kinds that there are, the one that the demo shows. */
export interface TransactionEvent {
  readonly type: 'tx';
  readonly db: string;
  readonly data: { readonly txID: string };
}

type NodeEvent = TransactionEvent | { readonly type: 'init' | 'role' | 'lag' | 'diverged' };

/** Calls `onTransaction` for each transaction that the node has, until `signal` or its end. */
export async function watchTransactions(
  dataFolder: string,
  onTransaction: (event: TransactionEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const asked = request({ socketPath: join(dataFolder, 'api.sock'), path: '/events', signal });
  asked.end();
  try {
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    if (response.statusCode !== 200) throw new Error(`GET /events gives ${response.statusCode}`);
    for await (const line of createInterface({ input: response })) {
      const event = JSON.parse(line) as NodeEvent;
      if (event.type === 'tx') onTransaction(event);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
