import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { EngineError } from '@skein/engine';
import { DiskError } from '@skein/host';

import { maybeErrorResponse } from './error-response.ts';
import { ApiError } from './errors.ts';

describe('maybeErrorResponse()', () => {
  const hint = 'Drop it first';
  const plain = Object.assign(new Error('Cannot complete x'), { code: 'ENOSPC' });
  const cases: readonly (readonly [error: Error, status: number, code: string])[] = [
    [new ApiError('API_BUSY', 'x'), 503, 'API_BUSY'],
    [new EngineError('IMAGE_PAGE_SIZE', 'x', { hint }), 409, 'IMAGE_PAGE_SIZE'],
    [new EngineError('DATABASE_NOT_FOUND', 'x'), 404, 'DATABASE_NOT_FOUND'],
    [new DiskError('log.append', '/data/x', 'EDQUOT'), 507, 'EDQUOT'],
    [plain, 507, 'ENOSPC'],
    [new DiskError('log.append', '/data/x', 'EIO'), 500, 'EIO'],
  ];
  for (const [error, status, code] of cases) {
    test(`answers ${code} with ${status}`, () => {
      const response = maybeErrorResponse(error)!;
      assert.equal(response.status, status);
      assert.equal(response.body.code, code);
      assert.equal(response.body.message, error.message);
    });
  }

  test('passes a hint on', () => {
    assert.equal(maybeErrorResponse(cases[1]![0])!.body.hint, hint);
    assert.ok(!('hint' in maybeErrorResponse(cases[0]![0])!.body));
  });

  test('says nothing of bugs', () => {
    const node = Object.assign(new TypeError('x'), { code: 'ERR_INVALID_ARG_TYPE' });
    const assertion = Object.assign(new Error('x'), { code: 'ASSERTION_FAILED' });
    for (const error of [new Error('x'), node, assertion, 'x', undefined]) {
      assert.equal(maybeErrorResponse(error), undefined);
    }
  });
});
