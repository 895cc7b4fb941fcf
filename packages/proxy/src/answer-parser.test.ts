import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { AnswerFormatError, AnswerParser } from './answer-parser.ts';

interface Parsed {
  readonly status: number;
  readonly message: string;
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  readonly isWhole: boolean;
  readonly isReusable: boolean;
}

/** What a parser says of pieces of an answer, after which the connection ends. */
function parse(pieces: readonly string[], isHead = false): Parsed {
  const parsed = {
    status: 0,
    message: '',
    headers: [] as readonly string[],
    body: '',
    trailers: [] as readonly string[],
    isWhole: false,
    isReusable: false,
  };
  const order: string[] = [];
  const parser = new AnswerParser(
    { isHead, headBytesMax: 200 },
    {
      onHead: ({ statusCode, statusMessage, rawHeaders }) => {
        order.push('head');
        parsed.status = statusCode;
        parsed.message = statusMessage;
        parsed.headers = rawHeaders;
      },
      onBody: (bytes) => {
        assert.ok(bytes.length > 0);
        assert.deepEqual(order, ['head']);
        parsed.body += bytes.toString('latin1');
      },
      onEnd: (trailers, isReusable) => {
        order.push('end');
        parsed.trailers = trailers;
        parsed.isReusable = isReusable;
      },
    },
  );
  for (const piece of pieces) parser.push(Buffer.from(piece, 'latin1'));
  parsed.isWhole = parser.end();
  assert.deepEqual(order, ['head', 'end'].slice(0, order.length));
  assert.equal(parsed.isWhole, order.length === 2);
  return parsed;
}

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

const ANSWERS: Readonly<Record<string, readonly [string, Partial<Parsed>]>> = {
  'a length': [`${OK}Content-Length: 5\r\n\r\nhello`, { body: 'hello', isReusable: true }],
  'no body': [`${OK}Content-Length: 0\r\n\r\n`, { body: '', isReusable: true }],
  'no length: until the end': [`${OK}\r\nhello`, { body: 'hello', isReusable: false }],
  'no length and no body': [`${OK}\r\n`, { body: '', isReusable: false }],
  chunks: [
    `${CHUNKED}5\r\nhello\r\n1;ext="a"\r\n!\r\n0\r\n\r\n`,
    { body: 'hello!', isReusable: true },
  ],
  trailers: [
    `${CHUNKED}a\r\n0123456789\r\n00\r\nX-Sum: 1\r\nX-B: 2\r\n\r\n`,
    { body: '0123456789', trailers: ['X-Sum', '1', 'X-B', '2'] },
  ],
  'an answer before the answer': [
    `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}Content-Length: 1\r\n\r\nx`,
    { status: 200, headers: ['Content-Length', '1'], body: 'x' },
  ],
  'a last answer': [
    `${OK}Connection: Close\r\nContent-Length: 1\r\n\r\nx`,
    { body: 'x', isReusable: false },
  ],
  'HTTP/1.0': ['HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx', { body: 'x', isReusable: false }],
  'no words in the status': [
    'HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n',
    { status: 404, message: '' },
  ],
  'odd headers': [
    `${OK}a:\r\nB: \t x y \t\r\nb:\xe9\r\nContent-Length: 0\r\n\r\n`,
    { headers: ['a', '', 'B', 'x y', 'b', '\xe9', 'Content-Length', '0'] },
  ],
  'not changed': ['HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n', { isReusable: true }],
};

describe('AnswerParser', () => {
  for (const [name, [text, expected]] of Object.entries(ANSWERS)) {
    test(`reads ${name}, in one piece or many`, () => {
      const whole = parse([text]);
      assert.equal(whole.isWhole, true);
      for (const [key, value] of Object.entries(expected)) {
        assert.deepEqual(whole[key as keyof Parsed], value, key);
      }
      assert.deepEqual(parse(text.split('')), whole);
      fc.assert(
        fc.property(fc.array(fc.nat(text.length), { maxLength: 5 }), (cuts) => {
          const ends = [0, ...cuts.toSorted((a, b) => a - b), text.length];
          const pieces = ends.slice(1).map((end, i) => text.slice(ends[i], end));
          assert.deepEqual(parse(pieces.filter((piece) => piece !== '')), whole);
        }),
      );
    });

    test(`does not take a part of ${name} for the whole`, () => {
      // What has no length ends with the connection; there is no way to know.
      if (name.startsWith('no length')) return;
      for (let end = 0; end < text.length; end += 1) {
        assert.equal(parse([text.slice(0, end)]).isWhole, false, `${end} bytes`);
      }
    });
  }

  test('knows that the answer to HEAD has no body', () => {
    for (const framing of ['Content-Length: 5', 'Transfer-Encoding: chunked', 'ETag: x']) {
      const { isWhole, isReusable } = parse([`${OK}${framing}\r\n\r\n`], true);
      assert.deepEqual([isWhole, isReusable], [true, true], framing);
    }
  });

  const malformed: Readonly<Record<string, string>> = {
    'another protocol': 'SSH-2.0-OpenSSH\r\n\r\n',
    'HTTP/2': 'HTTP/2 200\r\n\r\n',
    'a status that is none': 'HTTP/1.1 999 x\r\n\r\n',
    'a switch of protocols': 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'a control character in the status': 'HTTP/1.1 200 a\x01b\r\n\r\n',
    'a header without a colon': `${OK}abc\r\n\r\n`,
    'a header without a name': `${OK}: x\r\n\r\n`,
    'a space before the colon': `${OK}Content-Length : 1\r\n\r\n`,
    'a folded header': `${OK}A: b\r\n c\r\n\r\n`,
    'a bare line feed': `${OK}A: b\nContent-Length: 1\r\n\r\n`,
    'a bare carriage return': `${OK}A: b\rc\r\n\r\n`,
    'a NUL': `${OK}A: \0\r\n\r\n`,
    'a negative length': `${OK}Content-Length: -1\r\n\r\n`,
    'a length with a sign': `${OK}Content-Length: +1\r\n\r\n`,
    'a length in hexadecimal': `${OK}Content-Length: 0x1\r\n\r\n`,
    'a list of lengths': `${OK}Content-Length: 1, 1\r\n\r\n`,
    'two lengths': `${OK}Content-Length: 1\r\nContent-Length: 1\r\n\r\n`,
    'a length and chunks': `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    'chunks twice': `${OK}Transfer-Encoding: chunked, chunked\r\n\r\n`,
    'another coding': `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`,
    'a chunk without a size': `${CHUNKED}\r\nx`,
    'a chunk of a size that is none': `${CHUNKED}-1\r\nx`,
    'a chunk that is too large': `${CHUNKED}100000000\r\n`,
    'a chunk that is longer than it says': `${CHUNKED}1\r\nabc\r\n0\r\n\r\n`,
    'an endless size of a chunk': CHUNKED + '0'.repeat(2000),
    'an endless head': `${OK}A: ${'x'.repeat(300)}`,
    'endless trailers': `${CHUNKED}0\r\nA: ${'x'.repeat(300)}`,
    'bytes after the end': `${OK}Content-Length: 1\r\n\r\nxy`,
  };
  for (const [name, text] of Object.entries(malformed)) {
    test(`refuses ${name}`, () => {
      assert.throws(() => parse([text]), AnswerFormatError);
      assert.throws(() => parse(text.split('')), AnswerFormatError);
    });
  }

  test('takes anything apart, or refuses it', () => {
    const tokens = fc.constantFrom(
      '\r\n',
      '0',
      '1',
      'a',
      ':',
      ' ',
      ';',
      'HTTP/1.1 200 OK',
      'chunked',
    );
    const headers = fc.constantFrom('Content-Length: 2', 'Transfer-Encoding: chunked', 'X: y');
    fc.assert(
      fc.property(fc.array(fc.oneof(tokens, headers), { maxLength: 40 }), (parts) => {
        for (const text of [
          parts.join(''),
          `${OK}${parts.join('')}`,
          `${CHUNKED}${parts.join('')}`,
        ]) {
          try {
            parse([text]);
          } catch (error) {
            if (!(error instanceof AnswerFormatError)) throw error;
          }
        }
      }),
    );
  });
});
