// Published ports: what listens on this machine, and passes connections on into the virtual
// network. The sockets are made here and handed to a process on a host of that network, which has
// the way to the containers.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';

import { onTestEnd, type TestScope, type VirtualHost } from '@skein/testkit';

import type { RelayMessage } from './port-relay-process.ts';

export class PortRelay {
  readonly #child: ChildProcess;
  readonly #ports = new Map<string, number>();

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static start(t: TestScope, { prefix }: VirtualHost): PortRelay {
    const script = join(import.meta.dirname, 'port-relay-process.ts');
    const [program, ...args] = [
      ...prefix,
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      script,
    ];
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const ended = once(child, 'exit');
    onTestEnd(t, async () => {
      child.kill('SIGKILL');
      await ended;
    });
    return new PortRelay(child);
  }

  /** The port of this machine that leads to what `key` stands for; where that is can change. */
  async publish(key: string, target: { address: string; port: number }): Promise<number> {
    const known = this.#ports.get(key);
    if (known !== undefined) {
      await this.#send({ key, ...target });
      return known;
    }
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    this.#ports.set(key, port);
    await this.#send({ key, ...target }, server);
    server.close();
    return port;
  }

  /** Resolves when it is on its way: a server may be closed here then. */
  #send(message: RelayMessage, server?: Server): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#child.send(message, server, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }
}
