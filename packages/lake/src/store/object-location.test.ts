import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  createSecretStatement,
  endpointOf,
  isObjectPath,
  objectUrl,
  parseObjectPath,
} from './object-location.ts';

const S3 = {
  endpoint: 'http://127.0.0.1:9000',
  region: 'us-east-1',
  accessKey: "key'; DROP",
  secretKey: 'secret',
  pathStyle: true,
};

describe('parseObjectPath()', () => {
  test('takes buckets and folders, with or without the last slash', () => {
    assert.deepEqual(parseObjectPath('s3://lake'), { bucket: 'lake', prefix: '' });
    assert.deepEqual(parseObjectPath('s3://lake/'), { bucket: 'lake', prefix: '' });
    assert.deepEqual(parseObjectPath('s3://lake/a/b'), { bucket: 'lake', prefix: 'a/b/' });
    assert.deepEqual(parseObjectPath('s3://a.lake/a/'), { bucket: 'a.lake', prefix: 'a/' });
  });

  test('refuses what leads elsewhere or nowhere', () => {
    const wrong = ['s3://', 's3://A', 's3://lake//a', 's3://lake/../a', 's3://la%2Fke', 'lake/a'];
    for (const path of [...wrong, 's3://lake/a?b', 's3://lake/a#b', 's3://lake/a\n/b']) {
      assert.throws(() => parseObjectPath(path), { code: 'LAKE_STORE_CONFIG' }, path);
    }
  });
});

test('isObjectPath() tells a store from a folder', () => {
  assert(isObjectPath('s3://lake/'));
  assert(!isObjectPath('/data/s3'));
});

describe('endpointOf()', () => {
  test('is AWS in the region unless another is named', () => {
    const { endpoint: _, ...aws } = S3;
    assert.equal(endpointOf(aws).href, 'https://s3.us-east-1.amazonaws.com/');
    assert.equal(endpointOf(S3).href, 'http://127.0.0.1:9000/');
  });

  test('refuses paths, keys in the address, and other protocols', () => {
    for (const endpoint of ['ftp://a', 'http://a/b', 'http://k:s@a', 'http://a/?b', 'a']) {
      assert.throws(() => endpointOf({ ...S3, endpoint }), { code: 'LAKE_STORE_CONFIG' }, endpoint);
    }
  });
});

describe('objectUrl()', () => {
  test('names the bucket in the path or in the host', () => {
    assert.equal(
      objectUrl(S3, 'lake', 'a/b.parquet').href,
      'http://127.0.0.1:9000/lake/a/b.parquet',
    );
    const { endpoint: _, ...aws } = { ...S3, pathStyle: false };
    const url = objectUrl(aws, 'lake', 'b.parquet');
    assert.equal(url.href, 'https://lake.s3.us-east-1.amazonaws.com/b.parquet');
  });

  test('keeps a percent sign, a blank and a quote of a key', () => {
    const { pathname } = objectUrl(S3, 'lake', "k=a%20b/c d'(1)*.parquet");
    assert.equal(pathname, '/lake/k%3Da%2520b/c%20d%27%281%29%2A.parquet');
  });
});

test('createSecretStatement() quotes what it is given, and holds for this place only', () => {
  const statement = createSecretStatement(S3, { bucket: 'lake', prefix: 'a/' });
  assert.match(statement, /KEY_ID 'key''; DROP'/);
  assert.match(statement, /ENDPOINT '127\.0\.0\.1:9000', USE_SSL false, URL_STYLE 'path'/);
  assert.match(statement, /SCOPE 's3:\/\/lake\/a\/'/);
});
