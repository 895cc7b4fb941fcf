// The site as others mount it.

import type { IncomingMessage, ServerResponse } from 'node:http';

import { getRequestListener } from '@hono/node-server';

import { secureHeaders } from './http/reply.ts';
import { createRouter } from './http/router.ts';
import { createVisit, SiteContext } from './http/site-context.ts';
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
  const resolved = resolveOptions(options);
  const site = new SiteContext(resolved);
  const router = createRouter(site);
  const fetch: AdminSite['fetch'] = async (request, connection = {}) => {
    try {
      const visit = createVisit(site, request, connection.address);
      return await router.fetch(request, { visit });
    } catch (error) {
      // Before there is a page to say it on, as of a node that cannot be asked.
      resolved.onError?.(error);
      return new Response('Something failed\n', { status: 500, headers: secureHeaders() });
    }
  };
  const listener = getRequestListener(
    (request, { incoming }) => fetch(request, { address: incoming.socket.remoteAddress }),
    { overrideGlobalObjects: false },
  );
  return {
    basePath: resolved.basePath,
    fetch,
    handler: (request, response) => {
      restoreUrl(request);
      void listener(request, response);
    },
  };
}

/** Express takes the path of what is mounted off the address, and keeps the whole of it here. */
function restoreUrl(request: IncomingMessage & { readonly originalUrl?: unknown }): void {
  if (typeof request.originalUrl === 'string') request.url = request.originalUrl;
}
