// What a request has done, told by the page that comes after it. It is in a cookie, since a page
// that is only read must not write; signed, so that it says nothing but what the site said.

import { isSigned, sign } from '../auth/signing.ts';

export interface Flash {
  readonly text: string;
}

/** A label and a few words; cookies have their limit. */
const TEXT_LENGTH_MAX = 300;

export function formatFlash(key: Buffer, { text }: Flash): string {
  const encoded = Buffer.from(text.slice(0, TEXT_LENGTH_MAX)).toString('base64url');
  return `${encoded}.${sign(key, 'flash', encoded)}`;
}

export function parseFlash(key: Buffer, cookie: string | undefined): Flash | undefined {
  const [encoded, signature] = (cookie ?? '').split('.');
  if (encoded === undefined || signature === undefined) return undefined;
  if (!isSigned(key, 'flash', { text: encoded, signature })) return undefined;
  return { text: Buffer.from(encoded, 'base64url').toString() };
}
