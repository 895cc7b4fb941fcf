// The web page at `/`: a folder of files that were built for it, read once and kept. It may load
// nothing but them, and speak to nobody but this server.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative } from 'node:path';

import { gzipSync } from 'node:zlib';

import { LakeHttpError } from './errors.ts';
import { etagOf, formatEtag, isNamedBy } from './etag.ts';
import type { Visit } from './visit.ts';

interface PageFile {
  readonly body: Buffer;
  readonly gzipped: Buffer;
  readonly contentType: string;
  readonly etag: string;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** Styles are set by script: the editor and the chart lay themselves out so. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** What is built has its hash in its name, but the page itself. */
const ASSET_CACHE_CONTROL = 'public, max-age=31536000, immutable';
/** A page is some hundred kilobytes; a wrong folder may hold anything. */
const BYTES_MAX = 32 * 1024 * 1024;

const NO_PAGE =
  'The web page was not built here; http.page names a folder with one. SQL goes to /q';

export class Page {
  readonly #files: ReadonlyMap<string, PageFile>;

  constructor(folder: string | undefined) {
    this.#files = folder === undefined ? new Map() : readFolder(folder);
  }

  /** Throws LakeHttpError: there is no such file. */
  send({ request, response, wish }: Visit, name: string): void {
    const file = this.#files.get(name);
    if (file === undefined) {
      const isMissing = this.#files.size === 0 && name === 'index.html';
      throw new LakeHttpError(404, 'LAKE_NOT_FOUND', isMissing ? NO_PAGE : '');
    }
    const isGzip = wish.encoding !== 'identity' && /\bgzip\b/.test(acceptOf(request.headers));
    response.setHeader('Content-Security-Policy', POLICY);
    response.setHeader('Referrer-Policy', 'no-referrer');
    response.setHeader('X-Frame-Options', 'DENY');
    response.setHeader('ETag', formatEtag(file.etag, isGzip));
    const isAsset = name.startsWith('assets/');
    response.setHeader('Cache-Control', isAsset ? ASSET_CACHE_CONTROL : 'no-cache');
    if (isNamedBy(request.headers['if-none-match'], file.etag)) {
      response.writeHead(304).end();
      return;
    }
    const body = isGzip ? file.gzipped : file.body;
    response.setHeader('Content-Type', file.contentType);
    if (isGzip) response.setHeader('Content-Encoding', 'gzip');
    response.writeHead(200, { 'Content-Length': body.length }).end(body);
  }
}

function acceptOf(headers: NodeJS.Dict<string | string[]>): string {
  return String(headers['accept-encoding'] ?? '');
}

function readFolder(folder: string): Map<string, PageFile> {
  const files = new Map<string, PageFile>();
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, entry);
    const contentType = CONTENT_TYPES[extname(entry)];
    const stat = statSync(path);
    if (contentType === undefined || !stat.isFile()) continue;
    bytes += stat.size;
    if (bytes > BYTES_MAX) throw new RangeError(`${folder} is too large for a web page`);
    const body = readFileSync(path);
    const name = relative(folder, path);
    const etag = etagOf(name, body.toString('latin1'));
    files.set(name, { body, gzipped: gzipSync(body), contentType, etag });
  }
  return files;
}
