// The body of a POST as a form: urlencoded, or multipart where files come with it.

import type { Form } from '../model/parse-form.ts';

/** A row has at most 2,000 columns in SQLite, and each has up to two fields. */
const FIELDS_MAX = 5000;

const FORM_TYPES = /^(?:application\/x-www-form-urlencoded|multipart\/form-data)\b/i;

export type FormProblem = 'no-form' | 'malformed' | 'too-large' | 'too-many-fields';

export interface FormBody {
  readonly fields: Form;
  /** All values of a name that comes several times. */
  all(name: string): readonly string[];
}

/** Nothing is read beyond `maxBytes`, whatever length was announced. */
export async function readForm(
  request: Request,
  maxBytes: number,
): Promise<FormBody | FormProblem> {
  const contentType = request.headers.get('content-type') ?? '';
  if (!FORM_TYPES.test(contentType)) return 'no-form';
  const body = await readBody(request, maxBytes);
  if (body === undefined) return 'too-large';
  let data: FormData;
  try {
    data = await new Response(body, { headers: { 'content-type': contentType } }).formData();
  } catch {
    return 'malformed';
  }
  const entries = [...data];
  if (entries.length > FIELDS_MAX) return 'too-many-fields';
  const fields = new Map<string, string | Uint8Array>();
  const texts: (readonly [string, string])[] = [];
  for (const [name, value] of entries) {
    if (typeof value === 'string') texts.push([name, value]);
    fields.set(name, typeof value === 'string' ? value : await value.bytes());
  }
  const all = (wanted: string): string[] =>
    texts.filter(([name]) => name === wanted).map(([, value]) => value);
  return { fields, all };
}

async function readBody(request: Request, maxBytes: number): Promise<Blob | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return undefined;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return new Blob(chunks);
}
