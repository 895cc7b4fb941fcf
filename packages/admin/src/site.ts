// The site as others mount it.

import type { IncomingMessage, ServerResponse } from 'node:http';

import { Hono } from 'hono';

import { type AdminOptions, resolveOptions } from './options.ts';

/** What is known of the connection beside the request. */
export interface ClientConnection {
  /** Of whoever connected: a client, or a proxy whose X-Forwarded-For is believed. */
  readonly address?: string | undefined;
}

export interface AdminSite {
  /** Without a slash at its end. */
  readonly basePath: string;
  /** Answers what is asked of `basePath` and below; anything else is 404. Never rejects. */
  fetch(request: Request, connection?: ClientConnection): Promise<Response>;
  /** The same for node:http, and for Express, Fastify and others that stand on it. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
}

/** Makes the site. Opens nothing yet. Throws ADMIN_OPTIONS. */
export function adminSite(options: AdminOptions): AdminSite {
  const { basePath } = resolveOptions(options);
  const app = new Hono();
  return {
    basePath,
    fetch: async (request) => app.fetch(request),
    handler: (_request, response) => void response.writeHead(503).end(),
  };
}
