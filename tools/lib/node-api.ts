// What a running node says of itself, asked through the socket in its data folder.

import { request } from 'node:http';
import { join } from 'node:path';

import { isWaitedFor, OPCODE, type OpcodeName } from '@skein/fuse';

/** The body of the answer; throws unless it is a 200. */
function getText(dataFolder: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: join(dataFolder, 'api.sock'), path }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`GET ${path} gives ${response.statusCode}: ${text}`));
      });
    });
    asked.once('error', reject);
    asked.end();
  });
}

/** When the node that serves was started, by the wall clock; undefined when none answers. */
export async function maybeStartedMs(dataFolder: string): Promise<number | undefined> {
  try {
    const status = JSON.parse(await getText(dataFolder, '/v1/status')) as { startedMs: number };
    return status.startedMs;
  } catch {
    return undefined;
  }
}

/** Requests of the kernel since the node's start that some process stood still for. */
export async function countRoundTrips(dataFolder: string): Promise<ReadonlyMap<string, number>> {
  const text = await getText(dataFolder, '/metrics');
  const samples = text.matchAll(/^skein_fuse_requests_total\{opcode="(\w+)"\} (\d+)$/gm);
  const counts = [...samples].map(([, opcode, count]) => [opcode!, Number(count)] as const);
  return new Map(counts.filter(([opcode]) => isWaitedFor(OPCODE[opcode as OpcodeName])));
}
