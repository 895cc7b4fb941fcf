// Signatures of what a browser keeps for the site (HMAC-SHA-256). Each use has a name of its own,
// so that what was signed for one is worth nothing for another.

import { createHmac, timingSafeEqual } from 'node:crypto';

export type Purpose = 'session' | 'csrf' | 'login' | 'flash' | 'superuser';

export function sign(key: Buffer, purpose: Purpose, text: string): string {
  return createHmac('sha256', key).update(`${purpose}\0${text}`).digest('base64url');
}

export function isSigned(
  key: Buffer,
  purpose: Purpose,
  { text, signature }: { readonly text: string; readonly signature: string },
): boolean {
  return isEqual(sign(key, purpose, text), signature);
}

/** Takes no longer where more of the beginning is right. */
function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
