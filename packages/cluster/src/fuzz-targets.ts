// What the fuzzer (tools/fuzz.ts) throws its mutations at: everything in this package that reads
// what peers send. Not part of the package's face.

import type { Position, Txid } from '@skein/ltx';
import { toChecksum, toTxid } from '@skein/ltx';

import { parseSignature } from './auth/signature.ts';
import { ReplicationError } from './errors.ts';
import { ClientDecoder } from './wire/client-decoder.ts';
import { FrameWriter } from './wire/frame-writer.ts';
import { type Dialect, ServerDecoder } from './wire/server-decoder.ts';

/** Has the shape that the fuzzer declares, which this package cannot import. */
interface FuzzTarget {
  readonly name: string;
  readonly seeds: () => Uint8Array[];
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly isFormatError: (error: unknown) => boolean;
}

export const fuzzTargets: readonly FuzzTarget[] = [
  {
    name: 'stream-litefs',
    seeds: () => [sampleOfLitefs()],
    decode: (bytes) => decodeServer(bytes, 'litefs'),
    isFormatError,
  },
  {
    name: 'stream-skein',
    seeds: () => [sampleOfSkein()],
    decode: (bytes) => decodeServer(bytes, 'skein'),
    isFormatError,
  },
  {
    name: 'stream-replica',
    seeds: () => [sampleOfReplica()],
    decode: decodeClient,
    isFormatError,
  },
  {
    name: 'stream-signature',
    seeds: () => [Uint8Array.from(`1 1767225600000 ${'ab'.repeat(16)} ${'cd'.repeat(32)}`, code)],
    decode: (bytes) => parseSignature(String.fromCharCode(...bytes.subarray(0, 1000))),
    isFormatError,
  },
];

function isFormatError(error: unknown): boolean {
  return error instanceof ReplicationError;
}

function code(char: string): number {
  return char.charCodeAt(0);
}

const NAMES = ['app.db', 'Gänse'];
const POSITION: Position = { txid: toTxid(7), checksum: toChecksum(0x8000000000000bb8n) };
const ZERO = 0n as Txid;

function sampleOfLitefs(): Uint8Array {
  const writer = new FrameWriter();
  for (const name of NAMES) {
    writer.ltx(name);
    writer.chunk(new Uint8Array(100).fill(1));
    writer.chunk(new Uint8Array(7).fill(2));
    writer.chunksEnd();
    writer.highWaterMark(name, ZERO);
  }
  writer.dropDatabase('old.db');
  writer.ready();
  writer.heartbeat(1_767_225_600_000);
  writer.handoff('8f5a1b6c-3f0e-4c6a-9d0c-2d9f0f1e2a3b');
  writer.end();
  return writer.take();
}

function sampleOfSkein(): Uint8Array {
  const writer = new FrameWriter();
  for (const name of NAMES) writer.transaction(name, 3, new Uint8Array(120).fill(4));
  writer.fileBegin({ database: 'app.db', epoch: 3, id: 'a-1', offset: 512, position: POSITION });
  writer.filePiece(new Uint8Array(8).fill(5));
  writer.fileEnd();
  writer.ready();
  writer.heartbeat(1_767_225_600_000);
  writer.end();
  return writer.take();
}

function sampleOfReplica(): Uint8Array {
  const writer = new FrameWriter();
  writer.positionMap(new Map(NAMES.map((name) => [name, POSITION])));
  writer.heartbeat(1_767_225_600_000);
  for (const database of NAMES) {
    writer.acknowledgement({
      database,
      received: POSITION.txid,
      durable: POSITION,
      applied: POSITION,
    });
  }
  return writer.take();
}

/** In pieces of a prime length, so that every field is cut sometimes. */
function decodeServer(bytes: Uint8Array, dialect: Dialect): unknown {
  const decoder = new ServerDecoder(dialect);
  const frames: unknown[] = [];
  for (let at = 0; at < bytes.length; at += 13) {
    frames.push(...structuredClone(decoder.push(bytes.subarray(at, at + 13))));
  }
  decoder.finish();
  return frames;
}

function decodeClient(bytes: Uint8Array): unknown {
  const decoder = new ClientDecoder('skein');
  const frames: unknown[] = [];
  for (let at = 0; at < bytes.length; at += 13) {
    frames.push(...decoder.push(bytes.subarray(at, at + 13)));
  }
  decoder.finish();
  return [decoder.positions, frames];
}
