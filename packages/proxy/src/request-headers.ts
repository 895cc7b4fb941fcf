// The headers of a request, taken apart once: what goes on, what is for the proxy, and what ends
// here (RFC 9110, section 7.6: fields about one connection).
//
// Invariant: nothing that a client sends can pass for what only a proxy says. Framing is Node's:
// its parser has refused what is ambiguous, and it frames anew towards the app.

const DROPPED: ReadonlySet<string> = new Set([
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
]);

/** Never dropped, even if a client names them in its Connection header. */
const UNDROPPABLE: ReadonlySet<string> = new Set(['host', 'content-length', 'cookie']);

export interface RequestHeaders {
  /** Name, value, name, value: in order, as they were written, repeated ones kept. */
  readonly kept: readonly string[];
  readonly hosts: readonly string[];
  readonly contentLength: string | undefined;
  readonly transferEncoding: string | undefined;
  readonly cookies: readonly string[];
  /** What the client has seen, in its own words. */
  readonly position: string | undefined;
  readonly hop: string | undefined;
  readonly isDebug: boolean;
  readonly upgrade: string | undefined;
  readonly takesTrailers: boolean;
  readonly trailerNames: string | undefined;
  readonly forwardedFor: readonly string[];
  readonly forwardedProto: string | undefined;
  readonly forwardedHost: string | undefined;
  readonly via: readonly string[];
}

type Draft = { -readonly [K in keyof RequestHeaders]: RequestHeaders[K] } & {
  kept: string[];
  hosts: string[];
  cookies: string[];
  forwardedFor: string[];
  via: string[];
  named: string[] | undefined;
};

type Field = (draft: Draft, value: string, name: string) => void;

/** What is done with a field other than to keep it. */
const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  [
    'host',
    (draft, value, name) => {
      draft.hosts.push(value);
      draft.kept.push(name, value);
    },
  ],
  [
    'cookie',
    (draft, value, name) => {
      draft.cookies.push(value);
      draft.kept.push(name, value);
    },
  ],
  [
    'content-length',
    (draft, value, name) => {
      draft.contentLength = value;
      draft.kept.push(name, value);
    },
  ],
  ['connection', readConnection],
  ['transfer-encoding', (draft, value) => void (draft.transferEncoding = value)],
  ['te', (draft, value) => void (draft.takesTrailers = /\btrailers\b/i.test(value))],
  ['trailer', (draft, value) => void (draft.trailerNames = value)],
  ['upgrade', (draft, value) => void (draft.upgrade = value)],
  ['expect', () => {}],
  ['x-forwarded-for', (draft, value) => void draft.forwardedFor.push(value)],
  ['x-forwarded-proto', (draft, value) => void (draft.forwardedProto = value)],
  ['x-forwarded-host', (draft, value) => void (draft.forwardedHost = value)],
  ['via', (draft, value) => void draft.via.push(value)],
  ['skein-position', (draft, value) => void (draft.position = value)],
  ['skein-hop', (draft, value) => void (draft.hop = value)],
  ['skein-debug', (draft, value) => void (draft.isDebug = value === '1')],
]);

export function readRequestHeaders(raw: readonly string[]): RequestHeaders {
  const draft = newDraft();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name, value] = [raw[i]!, raw[i + 1]!];
    const lower = name.toLowerCase();
    const field = FIELDS.get(lower);
    if (field !== undefined) field(draft, value, name);
    else if (!DROPPED.has(lower) && !lower.startsWith('skein-')) draft.kept.push(name, value);
  }
  if (draft.named !== undefined) draft.kept = withoutNamed(draft.kept, draft.named);
  return draft;
}

/** The headers of an answer that go on to the client. `isPeer`: it comes from another proxy. */
export function keptResponseHeaders(raw: readonly string[], isPeer: boolean): string[] {
  let kept: string[] = [];
  let named: string[] | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name, value] = [raw[i]!, raw[i + 1]!];
    const lower = name.toLowerCase();
    if (lower === 'connection') named = namedIn(value, named);
    else if (lower === 'transfer-encoding' || lower === 'upgrade' || DROPPED.has(lower)) continue;
    // What became of a request is said by proxies; an app does not know.
    else if (isPeer || !lower.startsWith('skein-')) kept.push(name, value);
  }
  if (named !== undefined) kept = withoutNamed(kept, named);
  return kept;
}

function newDraft(): Draft {
  return {
    kept: [],
    hosts: [],
    contentLength: undefined,
    transferEncoding: undefined,
    cookies: [],
    position: undefined,
    hop: undefined,
    isDebug: false,
    upgrade: undefined,
    takesTrailers: false,
    trailerNames: undefined,
    forwardedFor: [],
    forwardedProto: undefined,
    forwardedHost: undefined,
    via: [],
    named: undefined,
  };
}

function readConnection(draft: Draft, value: string): void {
  draft.named = namedIn(value, draft.named);
}

/** What a Connection header names other than what every one names; mostly nothing. */
function namedIn(value: string, before: string[] | undefined): string[] | undefined {
  if (value === 'keep-alive' || value === 'close') return before;
  const names = value
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !UNDROPPABLE.has(name));
  return [...(before ?? []), ...names];
}

function withoutNamed(headers: readonly string[], named: readonly string[]): string[] {
  const names = new Set(named);
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!names.has(headers[i]!.toLowerCase())) kept.push(headers[i]!, headers[i + 1]!);
  }
  return kept;
}
