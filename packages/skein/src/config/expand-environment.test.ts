import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { expandEnvironment } from './expand-environment.ts';

const ENVIRONMENT = { REGION: 'sea', HOME_REGION: 'sea', PORT: '8080', _x1: 'low', EMPTY: '' };

describe('expandEnvironment()', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['port: $PORT', 'port: 8080'],
    ['port: ${PORT}', 'port: 8080'],
    ['port: ${ PORT }', 'port: 8080'],
    ['${PORT}${REGION}', '8080sea'],
    ['$PORT-$REGION.$_x1', '8080-sea.low'],
    ['a${MISSING}b$MISSING', 'ab'],
    ['[${EMPTY}]', '[]'],
    ["${REGION == 'sea'}", 'true'],
    ['${REGION == "fra"}', 'false'],
    ['${REGION != "fra"}', 'true'],
    ['${ REGION==HOME_REGION }', 'true'],
    ['${REGION != HOME_REGION}', 'false'],
    ["${MISSING == ''}", 'true'],
    ['${REGION == sea}', 'false'],
    ['costs 5$', 'costs 5$'],
    ['a $ b', 'a $ b'],
    ['$/x', '$/x'],
    ['${}', ''],
    ['${PORT', 'PORT'],
    ['# ${PORT}', '# 8080'],
    ['$1 and $?', ' and '],
    ['$PORTAL', ''],
    ['${toString}$constructor', ''],
  ];
  for (const [text, expected] of cases) {
    test(`makes ${text} into ${JSON.stringify(expected)}`, () => {
      assert.equal(expandEnvironment(text, ENVIRONMENT), expected);
    });
  }

  test('does not expand what it put in', () => {
    assert.equal(expandEnvironment('$A', { A: '$B ${B}', B: 'no' }), '$B ${B}');
  });

  test('leaves text without a dollar sign alone', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const plain = text.replaceAll('$', '');
        assert.equal(expandEnvironment(plain, ENVIRONMENT), plain);
      }),
    );
  });
});
