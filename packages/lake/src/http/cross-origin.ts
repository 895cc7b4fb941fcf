// What pages of other sites may do (CORS), as Seafowl has it: any site may ask, and read the
// answer. Cookies are never taken, so a page has no more rights than whoever sends a request by
// hand; but see checkOrigin() for writes.

import type { ServerResponse } from 'node:http';

const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'If-None-Match',
  'X-Seafowl-Query',
  'X-Skein-Position',
  'X-Skein-Query',
  'X-Skein-Timeout',
].join(', ');

const EXPOSED_HEADERS = [
  'ETag',
  'X-Seafowl-Query-Time',
  'X-Skein-Cache',
  'X-Skein-Error',
  'X-Skein-Position',
  'X-Skein-Rows-Changed',
  'X-Skein-Statement',
].join(', ');

const VARY = [
  'Accept',
  'Accept-Encoding',
  'Authorization',
  'Content-Type',
  'Origin',
  'X-Seafowl-Query',
  'X-Skein-Position',
  'X-Skein-Query',
].join(', ');

/** A day, the most that browsers take. */
const MAX_AGE_S = '86400';

/** For every answer, of errors too. */
export function setSharedHeaders(response: ServerResponse): void {
  const { origin } = response.req.headers;
  response.setHeader('Vary', VARY);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (origin === undefined) return;
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS);
}

export function answerPreflight(response: ServerResponse): void {
  response.setHeader('Access-Control-Allow-Methods', 'GET, POST');
  response.setHeader('Access-Control-Allow-Headers', REQUEST_HEADERS);
  response.setHeader('Access-Control-Max-Age', MAX_AGE_S);
  response.writeHead(200, { 'Content-Length': 0 }).end();
}
