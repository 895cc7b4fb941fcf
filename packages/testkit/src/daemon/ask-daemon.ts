// What a running node says of itself, asked through the socket in its data folder.

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

/** The body that GET gives; rejects unless the status is 200. */
export async function askDaemon(dataFolder: string, path: string): Promise<string> {
  const response = await get(dataFolder, path);
  const body = await text(response);
  if (response.statusCode === 200) return body;
  throw new Error(`GET ${path} gives ${response.statusCode}: ${body}`);
}

/** Writes the body that GET gives to a file. Rejects unless the status is 200. */
export async function fetchToFile(dataFolder: string, path: string, into: string): Promise<void> {
  const response = await get(dataFolder, path);
  if (response.statusCode === 200) return pipeline(response, createWriteStream(into));
  throw new Error(`GET ${path} gives ${response.statusCode}: ${await text(response)}`);
}

/** When the node that serves was started, by the wall clock; undefined when none answers. */
export async function maybeStartedMs(dataFolder: string): Promise<number | undefined> {
  try {
    const status = JSON.parse(await askDaemon(dataFolder, '/v1/status')) as { startedMs: number };
    return status.startedMs;
  } catch {
    return undefined;
  }
}

async function get(dataFolder: string, path: string): Promise<IncomingMessage> {
  const asked = request({ socketPath: join(dataFolder, 'api.sock'), path }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response;
}
