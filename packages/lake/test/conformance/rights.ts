// A: bearer tokens. Each case is a server of its own on one engine.

import assert from 'node:assert/strict';

import { hashOf } from '../../src/http/query-text.ts';
import type { AccessPolicy, AccessRule } from '../../src/http/access.ts';
import type { Answer, TestServer } from '../test-server.ts';
import { formOf } from './uploads.ts';
import { conforms, pathOf, type Target } from './target.ts';

const reader: AccessRule = { sha256: hashOf('may read') };
const writer: AccessRule = { sha256: hashOf('may write') };
const READ = 'SELECT 1 AS x';
const WRITE = 'CREATE SCHEMA IF NOT EXISTS public';

const FORBIDDEN = '403 WRITE_FORBIDDEN';

type ServerOf = (access: AccessPolicy) => Promise<TestServer>;

/** What a request comes to: `200`, `403 WRITE_FORBIDDEN`. */
const outcome = ({ status, text }: Answer): string =>
  status === 200 ? '200' : `${status} ${text}`;

export function checkRights(target: () => Target, serverOf: ServerOf): void {
  const outcomes = (
    id: string,
    access: AccessPolicy,
    expected: Readonly<Record<string, readonly [get: string, read: string, write: string]>>,
  ): void => {
    conforms(id, target, async () => {
      const server = await serverOf(access);
      for (const [password, wanted] of Object.entries(expected)) {
        const headers: Record<string, string> =
          password === '' ? {} : { Authorization: `Bearer ${password}` };
        const got = [
          await server.send(pathOf(READ), { headers }),
          await server.query(READ, headers),
          await server.query(WRITE, headers),
        ].map(outcome);
        assert.deepEqual(got, wanted, password);
      }
    });
  };
  const useless = '400 USELESS_ACCESS_TOKEN';
  const needed = '401 NEED_ACCESS_TOKEN';
  const invalid = '401 INVALID_ACCESS_TOKEN';
  outcomes('A-01', { read: 'any', write: 'any' }, { '': ['200', '200', '200'] });
  outcomes(
    'A-02',
    { read: reader, write: 'any' },
    { '': ['403 READ_FORBIDDEN', FORBIDDEN, '200'] },
  );
  outcomes('A-03', { read: reader, write: 'off' }, { 'may read': ['200', '200', FORBIDDEN] });
  outcomes(
    'A-04',
    { read: 'off', write: 'any' },
    { '': ['405 READ_ONLY_ENDPOINT_DISABLED', FORBIDDEN, '200'] },
  );
  outcomes('A-05', { read: 'any', write: writer }, { '': ['200', '200', FORBIDDEN] });
  outcomes('A-06', { read: reader, write: writer }, { 'may write': ['200', '200', '200'] });
  outcomes('A-07', { read: reader, write: writer }, { '': [needed, needed, needed] });
  outcomes('A-08', { read: reader, write: writer }, { 'may read': ['200', '200', FORBIDDEN] });
  outcomes('A-09', { read: 'any', write: 'off' }, { '': ['200', '200', FORBIDDEN] });
  outcomes('A-10', { read: 'any', write: 'off' }, { token: [useless, useless, useless] });
  outcomes('A-11', { read: 'any', write: writer }, { wrong: [invalid, invalid, invalid] });
  checkHeaders(target, serverOf);
}

function checkHeaders(target: () => Target, serverOf: ServerOf): void {
  conforms('A-12', target, async () => {
    const server = await serverOf({ read: 'any', write: writer });
    const answer = await server.query(READ, { Authorization: 'Basic bWU6bWU=' });
    assert.equal(outcome(answer), '401 INVALID_AUTHORIZATION_HEADER');
    assert.equal(answer.headers['www-authenticate'], 'Bearer');
  });
  conforms('A-13', target, async () => {
    const server = await serverOf({ read: 'any', write: writer });
    const body = formOf([{ name: 'data', fileName: 'rows.csv', content: 'a\n1\n' }]);
    const answer = await server.send('/upload/public/t', {
      method: 'POST',
      headers: { 'Content-Type': 'multipart/form-data; boundary=----skein-test' },
      body,
    });
    assert.equal(outcome(answer), FORBIDDEN);
  });
  conforms('A-14', target, async () => {
    const server = await serverOf({ read: reader, write: writer });
    for (const path of ['/healthz', '/readyz']) {
      const answer = await server.send(path);
      assert.deepEqual([answer.status, answer.text], [200, 'ready']);
    }
  });
  conforms('A-15', target, async () => {
    const server = await serverOf({ read: reader, write: 'off' });
    const headers = { Authorization: 'Bearer may read' };
    const answer = await server.send(pathOf(READ), { headers });
    assert.equal(answer.headers['cache-control'], 'max-age=43200, private');
  });
}
