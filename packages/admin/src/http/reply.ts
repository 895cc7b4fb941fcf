// What a request is answered with, as plain values, so that a transaction is over before a byte is
// sent; and the headers that all answers have.

import type { Html } from '../pages/html.ts';
import type { AssetName } from './assets.ts';
import { formatCookie, maybeCookie, type CookieName } from './cookies.ts';
import { formatFlash } from './flash.ts';
import type { Member, SiteContext, Visit } from './site-context.ts';

export interface PageReply {
  readonly kind: 'page';
  readonly status: number;
  readonly html: Html;
  readonly cookies?: readonly string[];
  readonly retryAfterS?: number;
}

export type Reply =
  | PageReply
  | { readonly kind: 'redirect'; readonly to: string; readonly cookies?: readonly string[] }
  | { readonly kind: 'json'; readonly status: number; readonly value: unknown }
  | { readonly kind: 'file'; readonly bytes: Uint8Array; readonly name: string };

export function page(html: Html, status = 200): PageReply {
  return { kind: 'page', status, html };
}

/** A cookie of the site; an empty value takes it away. */
export function siteCookie(visit: Visit, name: CookieName, value: string, ageS: number): string {
  const path = visit.site.options.basePath === '' ? '/' : visit.site.options.basePath;
  return formatCookie(name, value, { path, isSecure: visit.isSecure, ageS });
}

/** Long enough for the page that comes next. */
const FLASH_AGE_S = 60;

/** Something was done: the next page says so. A reload of it does nothing again (303). */
export function done(member: Member, to: string, text: string): Reply {
  const flash = formatFlash(member.key, { text });
  return {
    kind: 'redirect',
    to,
    cookies: [siteCookie(member, 'skein_admin_flash', flash, FLASH_AGE_S)],
  };
}

/**
 * Nothing is loaded from elsewhere, nothing in a page is a script or a style, nobody frames it.
 * `data:` is for the signs in Pico's boxes. With "no-referrer" browsers would send forms with the
 * origin "null".
 */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; " +
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

export function secureHeaders(cacheControl = 'no-store'): Headers {
  const headers = new Headers(SECURITY_HEADERS);
  headers.set('Cache-Control', cacheControl);
  return headers;
}

export async function toResponse(visit: Visit, reply: Reply): Promise<Response> {
  const headers = secureHeaders();
  switch (reply.kind) {
    case 'page':
      headers.set('Content-Type', 'text/html; charset=utf-8');
      if (reply.retryAfterS !== undefined) headers.set('Retry-After', String(reply.retryAfterS));
      addCookies(headers, [...(reply.cookies ?? []), ...shownFlash(visit)]);
      return new Response(String(await reply.html), { status: reply.status, headers });
    case 'redirect':
      headers.set('Location', reply.to);
      addCookies(headers, reply.cookies ?? []);
      return new Response(null, { status: 303, headers });
    case 'json':
      headers.set('Content-Type', 'application/json');
      return new Response(JSON.stringify(reply.value), { status: reply.status, headers });
    case 'file':
      headers.set('Content-Type', 'application/octet-stream');
      headers.set('Content-Disposition', `attachment; filename="${fileName(reply.name)}"`);
      return new Response(new Uint8Array(reply.bytes), { headers });
  }
}

/** A word that was shown is not shown again. */
function shownFlash(visit: Visit): readonly string[] {
  if (maybeCookie(visit.request.headers, 'skein_admin_flash') === undefined) return [];
  return [siteCookie(visit, 'skein_admin_flash', '', 0)];
}

function addCookies(headers: Headers, cookies: readonly string[]): void {
  for (const cookie of cookies) headers.append('Set-Cookie', cookie);
}

function fileName(name: string): string {
  return name.replaceAll(/[^\w.-]+/g, '_').slice(0, 100);
}

/** Styles and scripts: their address changes with their content. */
export function assetResponse(site: SiteContext, name: AssetName): Response {
  const { body, contentType } = site.assets.get(name);
  const headers = secureHeaders('public, max-age=31536000, immutable');
  headers.set('Content-Type', contentType);
  return new Response(body, { headers });
}
