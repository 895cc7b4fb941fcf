// Entry of the process that serves SQL over HTTP. It reads the mount, which the daemon serves: they
// must not be one process. It ends when it is told to, and when the daemon is gone.

import { NodeView, SqlServerError, startSqlServer } from '@skein/hrana';
import { createNodeLog } from '@skein/host';

import type { FromSql, SqlSettings, ToSql } from './sql-messages.ts';

const ending = Promise.withResolvers<void>();
const starting = Promise.withResolvers<SqlSettings>();
let view: NodeView | undefined;

process.on('message', (message: ToSql) => {
  switch (message.kind) {
    case 'start':
      view = new NodeView(message.settings.nodeName);
      starting.resolve(message.settings);
      return;
    case 'change':
      view!.update(message.change);
      return;
    case 'close':
      ending.resolve();
  }
});
process.once('disconnect', () => ending.resolve());

async function serve({ config, folder, log: logConfig }: SqlSettings): Promise<void> {
  const { address, token, database, databases, workers, statementMs, ...times } = config;
  const { streamIdleMs, waitMs, primaryWaitMs } = times;
  const server = await startSqlServer({
    address,
    folder,
    token,
    database,
    databases,
    view: view!,
    log: createNodeLog(logConfig),
    limits: { workers, statementMs, streamIdleMs, waitMs, primaryWaitMs },
  });
  tell({ kind: 'listening', address: server.address });
  await ending.promise;
  await server.close();
}

function tell(message: FromSql): void {
  if (process.connected) process.send!(message);
}

try {
  await serve(await starting.promise);
} catch (error) {
  const { message } = error as Error;
  const isKnown = error instanceof SqlServerError;
  const { code, hint } = isKnown ? error : { code: undefined, hint: undefined };
  tell({ kind: 'failed', message, code, hint });
}
// Nothing else keeps the process.
if (process.connected) process.disconnect();
