// A name server for tests (RFC 1035): answers for IPv4 addresses with what it is told now, valid
// for a second. Where Docker has its own, at 127.0.0.11, unless told otherwise.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface NameServer {
  close(): void;
}

export interface NameServerOptions {
  readonly address?: string;
  readonly port?: number;
}

const DOCKER = '127.0.0.11';
const DNS_PORT = 53;
const HEAD_BYTES = 12;
const FLAGS_FOUND = 0x8180;
const FLAGS_NO_SUCH_NAME = 0x8183;
/** A pointer to the name in the question, type A, class IN, a second, four bytes. */
const RECORD = [0xc0, HEAD_BYTES, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4];

/** `lookup` gives all addresses of a name; none: there is no such name. */
export async function startNameServer(
  lookup: (name: string) => readonly string[],
  { address = DOCKER, port = DNS_PORT }: NameServerOptions = {},
): Promise<NameServer> {
  const socket = createSocket('udp4');
  socket.on('message', (question, from) => {
    socket.send(answer(question, lookup), from.port, from.address);
  });
  socket.bind(port, address);
  await once(socket, 'listening');
  return { close: () => void socket.close() };
}

function answer(question: Buffer, lookup: (name: string) => readonly string[]): Buffer {
  const end = question.indexOf(0, HEAD_BYTES);
  const labels: string[] = [];
  for (let at = HEAD_BYTES; at < end; at += question[at]! + 1) {
    labels.push(question.toString('latin1', at + 1, at + 1 + question[at]!));
  }
  const addresses = lookup(labels.join('.'));
  const head = Buffer.from(question.subarray(0, HEAD_BYTES));
  head.writeUInt16BE(addresses.length === 0 ? FLAGS_NO_SUCH_NAME : FLAGS_FOUND, 2);
  head.writeUInt16BE(addresses.length, 6);
  head.fill(0, 8, HEAD_BYTES);
  const records = addresses.map((each) => Buffer.from([...RECORD, ...each.split('.').map(Number)]));
  // The question is repeated: the name, its end, type and class.
  return Buffer.concat([head, question.subarray(HEAD_BYTES, end + 5), ...records]);
}
