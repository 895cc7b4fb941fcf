import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { signRequest } from './sign-request.ts';

const KEYS = {
  accessKey: 'AKIAIOSFODNN7EXAMPLE',
  secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
};
const TIME_MS = Date.UTC(2013, 4, 24);

describe('signRequest()', () => {
  // "Example: GET Object" of AWS's documentation.
  test('gives the signature that AWS documents', () => {
    const url = new URL('https://examplebucket.s3.amazonaws.com/test.txt');
    const headers = { range: 'bytes=0-9' };
    const signed = signRequest({ method: 'GET', url, headers }, KEYS, TIME_MS);
    assert.equal(
      signed['authorization'],
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,' +
        'SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,' +
        'Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    );
    assert.equal(signed['x-amz-date'], '20130524T000000Z');
    assert.equal(signed['range'], 'bytes=0-9');
  });

  test('signs the token of temporary keys', () => {
    const url = new URL('http://localhost:9000/bucket/a%20b');
    const keys = { ...KEYS, sessionToken: 'token' };
    const signed = signRequest({ method: 'HEAD', url, headers: {} }, keys, TIME_MS);
    assert.equal(signed['x-amz-security-token'], 'token');
    assert.match(signed['authorization']!, /SignedHeaders=[^,]*x-amz-security-token,/);
    assert.equal(signed['host'], 'localhost:9000');
  });
});
