// The compose file of the messages example as a project, and what its tests ask of it.

import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { requirePart, waitUntil } from '@skein/testkit';

import { type ComposeProject, openProject } from '../lib/compose/project.ts';
import { Visitor } from '../lib/visitor.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FILE = join(ROOT, 'examples', 'messages', 'docker-compose.yml');
/** Of node1, node2, node3. */
export const DOORS: readonly number[] = [8001, 8002, 8003];
export const ARRIVAL_TIMEOUT_MS = 90_000;

export interface Health {
  readonly status: string;
  readonly node_name: string;
  readonly role: string;
  readonly primary: string | null;
  readonly message_count: number;
}

export interface Created {
  readonly message_id: number;
  readonly node_name: string;
}

export async function openMessages(
  t: TestContext,
  profiles: readonly string[] = [],
): Promise<ComposeProject | undefined> {
  if (!requirePart(t, 'fuse', 'root', 'curl')) return undefined;
  return openProject(t, { file: FILE, profiles });
}

export function healthAt(project: ComposeProject, port: number): Promise<Health> {
  return new Visitor().json<Health>(`${project.urlOf(port)}/api/health/`);
}

export async function create(visitor: Visitor, url: string, content: string): Promise<Created> {
  return visitor.json<Created>(`${url}/api/messages/create/`, { json: { content } });
}

export async function contents(visitor: Visitor, url: string): Promise<string[]> {
  const { messages } = await visitor.json<{ messages: { content: string }[] }>(
    `${url}/api/messages/`,
  );
  return messages.map(({ content }) => content);
}

export async function waitForCount(
  project: ComposeProject,
  ports: readonly number[],
  count: number,
): Promise<void> {
  for (const port of ports) {
    const isThere = async (): Promise<boolean> => {
      return (await healthAt(project, port)).message_count === count;
    };
    await waitUntil(`${port} has ${count} messages`, isThere, ARRIVAL_TIMEOUT_MS);
  }
}
