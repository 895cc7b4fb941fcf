import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { NO_POSITIONS, parsePositions } from '@skein/client/peers';

import {
  classify,
  decide,
  type Decision,
  type DecidingView,
  isWorthWaiting,
  type PathRules,
  type Question,
} from './decide.ts';
import type { NodeRole } from './node-view.ts';
import { compilePatterns } from './patterns.ts';

const PRIMARY = { name: 'node1', proxyUrl: new URL('http://node1:8001') };

function view(role: NodeRole, txid = 10): DecidingView {
  return {
    role,
    primary: role === 'replica' ? PRIMARY : undefined,
    position: (name) => (name === 'a' ? { epoch: 1, txid: BigInt(txid) } : undefined),
  };
}

function question(kind: Question['kind'], seen = '', isForwarded = false): Question {
  return { kind, wanted: seen === '' ? NO_POSITIONS : parsePositions(seen), isForwarded };
}

function describeDecision(decision: Decision): string {
  return decision.go === 'refuse' ? decision.reason : decision.go;
}

describe('classify()', () => {
  const rules: PathRules = {
    isPassthrough: compilePatterns(['/static/*', '*.png']),
    isAlwaysForwarded: compilePatterns(['/login', '/static/login']),
  };
  const cases: readonly (readonly [string, string, string])[] = [
    ['GET', '/', 'read'],
    ['HEAD', '/', 'read'],
    ['OPTIONS', '/', 'read'],
    ['POST', '/', 'write'],
    ['PUT', '/', 'write'],
    ['DELETE', '/', 'write'],
    ['PROPFIND', '/', 'write'],
    ['GET', '/login', 'write'],
    ['POST', '/static/x', 'passthrough'],
    ['GET', '/static/login', 'passthrough'],
    ['GET', '/static', 'read'],
    ['GET', '/skein/health', 'health'],
    ['GET', '/litefs/health', 'health'],
    ['POST', '/skein/health', 'write'],
  ];
  for (const [method, path, kind] of cases) {
    test(`${method} ${path}: ${kind}`, () => assert.equal(classify(method, path, rules), kind));
  }
});

describe('decide()', () => {
  const AHEAD = '1&1:b:a';
  const BEFORE = '1&1:9:a';
  const cases: readonly (readonly [NodeRole, Question, string, boolean])[] = [
    ['primary', question('read'), 'local', false],
    ['primary', question('read', AHEAD), 'local', false],
    ['primary', question('write'), 'local', false],
    ['primary', question('write', '', true), 'local', false],
    ['replica', question('read'), 'local', false],
    ['replica', question('read', BEFORE), 'local', false],
    ['replica', question('read', AHEAD), 'forward', true],
    ['replica', question('read', '1&1:1:unknown'), 'forward', true],
    ['replica', question('read', '1&*'), 'forward', false],
    ['replica', question('write'), 'forward', false],
    ['replica', question('passthrough'), 'local', false],
    ['replica', question('read', '', true), 'not-primary', false],
    ['replica', question('write', '', true), 'not-primary', false],
    ['no-primary', question('write', '', true), 'not-primary', false],
    ['no-primary', question('read'), 'local', false],
    ['no-primary', question('read', AHEAD), 'behind', true],
    ['no-primary', question('write'), 'no-primary', true],
    ['fenced', question('read'), 'local', false],
    ['fenced', question('write'), 'no-primary', true],
    ['fenced', question('passthrough'), 'local', false],
  ];
  for (const [role, asked, expected, mayWait] of cases) {
    const seen = asked.wanted === NO_POSITIONS ? '' : ' that has seen more or less';
    const forwarded = asked.isForwarded ? ', forwarded' : '';
    test(`${role}: a ${asked.kind}${seen}${forwarded} → ${expected}, waits: ${mayWait}`, () => {
      const decision = decide(asked, view(role));
      assert.equal(describeDecision(decision), expected);
      assert.equal(isWorthWaiting(asked, decision), mayWait);
    });
  }
});

describe('compilePatterns()', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['/build/*', '/build/x/y', true],
    ['/build/*', '/build', false],
    ['/build/*', '/a/build/x', false],
    ['*.css', '/a.css', true],
    ['*.css', '/axcss', false],
    ['*', '/', true],
    ['/a+(b)', '/a+(b)', true],
    ['/a?', '/', false],
    ['/build/', '/build/', true],
    ['/build/', '/a/build/b', false],
    ['/^/u/[0-9]+$/', '/u/42', true],
    ['/^/u/[0-9]+$/', '/u/x', false],
  ];
  for (const [pattern, path, expected] of cases) {
    test(`${pattern} matches ${path}: ${expected}`, () => {
      assert.equal(compilePatterns([pattern])(path), expected);
    });
  }

  test('refuses an expression that is none', () => {
    assert.throws(() => compilePatterns(['/^(/']), { code: 'PROXY_PATTERN' });
  });

  test('matches nothing without patterns', () => {
    assert.equal(compilePatterns([])('/'), false);
  });
});
