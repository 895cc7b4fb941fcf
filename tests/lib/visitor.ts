// A client with cookies, as a browser has them: it sends back what it was given, wherever it goes
// next, and follows no redirects.

export interface VisitorRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a form. */
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export class Visitor {
  readonly cookies = new Map<string, string>();

  async visit(url: string, request: VisitorRequest = {}): Promise<Page> {
    const { form, json, headers } = request;
    const body = form === undefined ? maybeJson(json) : new URLSearchParams(form);
    const response = await fetch(url, {
      method: request.method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...headers, cookie: this.#cookieHeader() },
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return { status: response.status, headers: response.headers, body: await response.text() };
  }

  async json<T>(url: string, request: VisitorRequest = {}): Promise<T> {
    const { status, body } = await this.visit(url, request);
    if (status >= 400) throw new Error(`${url} answers ${status}: ${body}`);
    return JSON.parse(body) as T;
  }

  #cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/; */);
    const end = pair.indexOf('=');
    const name = pair.slice(0, end);
    if (attributes.some((each) => /^max-age=0$/i.test(each))) this.cookies.delete(name);
    else this.cookies.set(name, pair.slice(end + 1));
  }
}

function maybeJson(json: unknown): string | undefined {
  return json === undefined ? undefined : JSON.stringify(json);
}
