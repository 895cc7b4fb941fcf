// The lake's HTTP API as the page uses it. It knows of no other way to the data.
//
// Behind an ingress a statement that writes is refused by the reader that it comes to; it is sent
// again by the way to the writer. What the page has written it sees: each request carries the
// position of the last answer.

import { type Column, guessColumns, maybeColumnsOf } from './columns.ts';
import { JsonLines, type Row } from './json-lines.ts';

export interface QueryResult {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** There were more rows, which were not fetched. */
  readonly isCut: boolean;
  readonly receivedBytes: number;
  readonly cache: string | undefined;
  readonly serverMs: number | undefined;
  readonly rowsChanged: number | undefined;
  readonly isByWriter: boolean;
}

export interface CatalogTable {
  readonly name: string;
  readonly kind: string;
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly isNullable: boolean;
  }[];
  readonly versions: readonly { readonly snapshot: number; readonly time: string }[];
}

export interface Catalog {
  readonly schemas: readonly { readonly name: string; readonly tables: readonly CatalogTable[] }[];
}

export interface ServerInfo {
  readonly role: string | undefined;
  readonly isReady: boolean;
}

/** What a table in a page is good for, and what its memory takes. */
export const ROWS_MAX = 50_000;
const PASSWORD_KEY = 'skein-lake-password';

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class LakeApi {
  readonly #askPassword: () => Promise<string | undefined>;
  #position: string | undefined;

  constructor(askPassword: () => Promise<string | undefined>) {
    this.#askPassword = askPassword;
  }

  async query(sql: string, signal: AbortSignal): Promise<QueryResult> {
    const { response, isByWriter } = await this.#post(sql, 'q', signal);
    const { headers } = response;
    const lines = new JsonLines();
    const rows: Row[] = [];
    let receivedBytes = 0;
    let isCut = false;
    try {
      const decoder = new TextDecoder();
      for await (const piece of response.body ?? []) {
        receivedBytes += piece.length;
        rows.push(...lines.push(decoder.decode(piece, { stream: true })));
        isCut = rows.length >= ROWS_MAX;
        if (isCut) break;
      }
      if (!isCut) rows.push(...lines.end());
    } catch (error) {
      throw lines.error === undefined ? error : new ApiError(200, lines.error.message);
    }
    if (lines.error !== undefined) throw new ApiError(200, lines.error.message);
    rows.length = Math.min(rows.length, ROWS_MAX);
    return {
      columns: maybeColumnsOf(headers.get('content-type') ?? '') ?? guessColumns(rows),
      rows,
      isCut,
      receivedBytes,
      cache: headers.get('x-skein-cache') ?? undefined,
      serverMs: maybeNumber(headers.get('x-seafowl-query-time')),
      rowsChanged: maybeNumber(headers.get('x-skein-rows-changed')),
      isByWriter,
    };
  }

  async download(sql: string, format: string, signal: AbortSignal): Promise<Blob> {
    const { response } = await this.#post(sql, `q?format=${format}`, signal);
    return response.blob();
  }

  async catalog(): Promise<Catalog> {
    const response = await this.#send('catalog', {});
    return (await response.json()) as Catalog;
  }

  async server(): Promise<ServerInfo> {
    const response = await fetch('readyz', { cache: 'no-store' });
    return { role: response.headers.get('x-skein-role') ?? undefined, isReady: response.ok };
  }

  /** Figures of the server by name, those with labels summed up. */
  async figures(): Promise<ReadonlyMap<string, number>> {
    const response = await this.#send('metrics', {});
    return parseFigures(await response.text());
  }

  async #post(sql: string, path: string, signal: AbortSignal): Promise<Answer> {
    const body = JSON.stringify({ query: sql });
    const headers = { 'Content-Type': 'application/json' };
    const init: RequestInit = { method: 'POST', body, headers, signal };
    const first = await this.#tryAs(path, init);
    const isBehindIngress = first.headers.has('x-skein-ingress');
    if (first.status !== 403 || !isBehindIngress) {
      return { response: await this.#take(first), isByWriter: false };
    }
    const second = await this.#tryAs(`w/${path}`, init);
    return { response: await this.#take(second), isByWriter: true };
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    return this.#take(await this.#tryAs(path, init));
  }

  /** Asks for the password when one is needed, again as long as it is wrong. */
  async #tryAs(path: string, init: RequestInit): Promise<Response> {
    for (;;) {
      const headers = new Headers(init.headers);
      const password = sessionStorage.getItem(PASSWORD_KEY);
      if (password !== null) headers.set('Authorization', `Bearer ${password}`);
      if (this.#position !== undefined) headers.set('X-Skein-Position', this.#position);
      const response = await fetch(path, { ...init, headers });
      if (response.status !== 401) return response;
      const given = await this.#askPassword();
      if (given === undefined) return response;
      sessionStorage.setItem(PASSWORD_KEY, given);
    }
  }

  async #take(response: Response): Promise<Response> {
    if (!response.ok) {
      const text = await response.text();
      throw new ApiError(response.status, text === '' ? `Status ${response.status}` : text);
    }
    this.#position = response.headers.get('x-skein-position') ?? this.#position;
    return response;
  }
}

interface Answer {
  readonly response: Response;
  readonly isByWriter: boolean;
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function parseFigures(text: string): Map<string, number> {
  const figures = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)/.exec(line);
    if (match === null) continue;
    const [, name = '', value] = match;
    figures.set(name, (figures.get(name) ?? 0) + Number(value));
  }
  return figures;
}

function maybeNumber(text: string | null): number | undefined {
  return text === null || !/^\d+$/.test(text) ? undefined : Number(text);
}
