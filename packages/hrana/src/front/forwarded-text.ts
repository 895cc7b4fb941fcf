// The texts of pipelines on their way to the primary and back. Answers come from a server of this
// same package, whose texts are known to the byte, so that results go through untouched: reading
// and writing them anew would cost time, and JSON.stringify() knows no infinity.

type Fields = Readonly<Record<string, unknown>>;

/**
 * The body for the primary. `before`: requests that come first, as JSON in a list. The body was
 * read before: it is JSON, with a list of requests. A baton in it is of this node, and goes.
 */
export function bodyForPrimary(
  body: Buffer,
  { baton, before }: { readonly baton: string | undefined; readonly before: string },
): Buffer {
  const isAsItWas = baton === undefined && before === NOTHING && !body.includes('"baton"');
  if (isAsItWas) return body;
  const { requests } = JSON.parse(body.toString()) as { readonly requests: readonly Fields[] };
  const first = JSON.parse(before) as readonly Fields[];
  const sent = { ...(baton === undefined ? {} : { baton }), requests: [...first, ...requests] };
  return Buffer.from(JSON.stringify(sent));
}

/** No requests. */
export const NOTHING = '[]';

export interface PrimaryAnswer {
  /** Undefined: the stream is closed. */
  readonly baton: string | undefined;
  /** The inside of a list. */
  readonly results: Buffer;
}

const HEAD = /^\{"baton":(?:null|"([0-9a-f.]+)"),"base_url":null,"results":\[/;
const HEAD_BYTES_MAX = 128;
const STORED = '{"type":"ok","response":{"type":"store_sql"}}';

/**
 * What the primary has answered, without the results of the `beforeCount` requests that came first.
 * Undefined: it is not from a server of this package, or not all of it came.
 */
export function maybeReadAnswer(body: Buffer, beforeCount: number): PrimaryAnswer | undefined {
  const head = HEAD.exec(body.toString('latin1', 0, HEAD_BYTES_MAX));
  if (head === null || body.subarray(-2).toString() !== ']}') return undefined;
  let start = head[0].length;
  for (let i = 0; i < beforeCount; i += 1) {
    if (body.toString('latin1', start, start + STORED.length) !== STORED) return undefined;
    // And the comma, where something follows.
    start += STORED.length + 1;
  }
  return { baton: head[1], results: body.subarray(Math.min(start, body.length - 2), -2) };
}
