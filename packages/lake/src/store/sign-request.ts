// AWS Signature Version 4 for requests without a body and without a query:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html

import { createHash, createHmac } from 'node:crypto';

import type { S3Settings } from '../engine/ports.ts';

export interface UnsignedRequest {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

type Keys = Pick<S3Settings, 'accessKey' | 'secretKey' | 'sessionToken' | 'region'>;

const ALGORITHM = 'AWS4-HMAC-SHA256';
const NO_BODY = createHash('sha256').update('').digest('hex');

/** All headers of the request, the signature among them. All are signed but the signature. */
export function signRequest(
  { method, url, headers }: UnsignedRequest,
  keys: Keys,
  timeMs: number,
): Record<string, string> {
  const time = new Date(timeMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const date = time.slice(0, 8);
  const { sessionToken } = keys;
  const signed: Record<string, string> = {
    ...headers,
    host: url.host,
    'x-amz-content-sha256': NO_BODY,
    'x-amz-date': time,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  };
  const names = Object.keys(signed).sort();
  const canonical = [
    method,
    url.pathname,
    '',
    ...names.map((name) => `${name}:${signed[name]!.trim()}`),
    '',
    names.join(';'),
    NO_BODY,
  ].join('\n');
  const scope = `${date}/${keys.region}/s3/aws4_request`;
  const text = [ALGORITHM, time, scope, sha256(canonical)].join('\n');
  const signature = hmac(signingKey(keys, date), text).toString('hex');
  const parts = [
    `Credential=${keys.accessKey}/${scope}`,
    `SignedHeaders=${names.join(';')}`,
    `Signature=${signature}`,
  ];
  return { ...signed, authorization: `${ALGORITHM} ${parts.join(',')}` };
}

function signingKey({ secretKey, region }: Keys, date: string): Buffer {
  const ofDate = hmac(`AWS4${secretKey}`, date);
  return hmac(hmac(hmac(ofDate, region), 's3'), 'aws4_request');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
