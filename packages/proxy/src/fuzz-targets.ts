// What the fuzzer (tools/fuzz.ts) throws its mutations at: everything in this package that reads
// what servers and clients send and that Node has not parsed. Not part of the package's face.

import { formatPositions, maybeParseHop, parsePositions } from '@skein/client/peers';

import { AnswerFormatError, AnswerParser } from './answer-parser.ts';

/** Has the shape that the fuzzer declares, which this package cannot import. */
interface FuzzTarget {
  readonly name: string;
  readonly seeds: () => Uint8Array[];
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly isFormatError: (error: unknown) => boolean;
}

export const fuzzTargets: readonly FuzzTarget[] = [
  {
    name: 'proxy-answer',
    seeds: () => [
      latin1('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\n\r\nhello'),
      latin1(
        'HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
          '5\r\nhello\r\n0\r\nX: y\r\n\r\n',
      ),
    ],
    decode: decodeAnswer,
    isFormatError: (error) => error instanceof AnswerFormatError,
  },
  {
    name: 'proxy-positions',
    seeds: () => [latin1('1&*&3:1a2b:app.db&2:7:a%20b')],
    decode: (bytes) => formatPositions(parsePositions(textOf(bytes))),
    isFormatError: () => false,
  },
  {
    name: 'proxy-hop',
    seeds: () => [latin1(`1;node%201;${'ab'.repeat(32)}`)],
    decode: (bytes) =>
      maybeParseHop(textOf(bytes), { method: 'POST', target: '/', host: 'a.org' }, 'secret'),
    isFormatError: () => false,
  },
];

/** In pieces, as a connection brings it. */
function decodeAnswer(bytes: Uint8Array): unknown {
  const events: unknown[] = [];
  const parser = new AnswerParser(
    { isHead: false, headBytesMax: 1000 },
    {
      onHead: (head) => void events.push(head),
      onBody: (body) => void events.push(body.toString('latin1')),
      onEnd: (...ends) => void events.push(ends),
    },
  );
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    parser.push(Buffer.from(bytes.subarray(at, at + PIECE_BYTES)));
  }
  return [events, parser.end()];
}

/** Cuts heads and chunks in the middle. */
const PIECE_BYTES = 17;

function latin1(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
