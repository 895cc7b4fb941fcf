// The process of port-relay.ts, on the gateway of the virtual network.

import { connect, type Server, type Socket } from 'node:net';

export interface RelayMessage {
  /** Of the server that came with the first message of this key. */
  readonly key: string;
  readonly address: string;
  readonly port: number;
}

const targets = new Map<string, RelayMessage>();

/** What one side ends or loses, the other ends or loses. */
function pass(from: Socket, to: Socket): void {
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroySoon());
}

process.on('message', (message: RelayMessage, server: Server | undefined) => {
  targets.set(message.key, message);
  server?.on('connection', (client: Socket) => {
    const { address, port } = targets.get(message.key)!;
    const container = connect({ host: address, port });
    client.setNoDelay(true);
    container.setNoDelay(true);
    pass(client, container);
    pass(container, client);
  });
});
