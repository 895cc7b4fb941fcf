// One readable line for every message of the protocol, in both directions. Pure.
//
//   WRITE #42 node=7 fh=1 offset=4096 size=24
//     -> #42 ok size=24
//   LOOKUP #44 node=1 name=app.db-journal
//     -> #44 ENOENT
//     !! INVAL_INODE node=7 off=0 len=4096

import { errnoName } from '@skein/host';

import { describeReplyBody } from './describe-reply.ts';
import { formatFlags, INVAL_ENTRY_FLAGS } from './flags.ts';
import { NOTIFY } from './notifications.ts';
import { opcodeName } from './opcode.ts';
import { quote } from './requests/format.ts';
import { IN_HEADER_BYTES, FuseRequest, RequestBuffer } from './request-buffer.ts';
import { createRequestViews, viewsByOpcode } from './request-views.ts';
import { OUT_HEADER_BYTES } from './structs.ts';

const utf8 = new TextDecoder();

function unique(lo: number, hi: number): string {
  return `#${(BigInt(hi) << 32n) | BigInt(lo)}`;
}

/** The line of a request whose header is sound. Never throws. */
export function formatRequest(request: FuseRequest): string {
  const name = opcodeName(request.opcode);
  const head = `${name} ${unique(request.uniqueLo, request.uniqueHi)} node=${request.nodeid}`;
  try {
    request.check();
    return `${head} ${request.describe()}`.trimEnd();
  } catch (error) {
    return `${head} (${error instanceof Error ? error.message : String(error)})`;
  }
}

/** The line of any bytes that claim to be a request. Never throws. */
export function formatRequestBytes(message: Uint8Array): string {
  const buffer = new RequestBuffer(Math.max(message.length, IN_HEADER_BYTES));
  buffer.bytes.set(message);
  buffer.length = message.length;
  const view = viewsByOpcode(createRequestViews(buffer))[buffer.view.getUint32(4, true)];
  if (message.length < IN_HEADER_BYTES) return `Request of only ${message.length} bytes`;
  return formatRequest(view ?? new FuseRequest(buffer));
}

/** The line of a reply, given the opcode of the request that it answers. */
export function formatReply(opcode: number, bytes: Uint8Array, length: number): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const head = `  -> ${unique(view.getUint32(8, true), view.getUint32(12, true))}`;
  const error = view.getInt32(4, true);
  if (error !== 0) return `${head} ${errnoName(-error)}`;
  return `${head} ok ${describeReplyBody(opcode, bytes, length)}`.trimEnd();
}

/** The line of a notification that goes to the kernel. */
export function formatNotification(message: Uint8Array): string {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const code = view.getInt32(4, true);
  const name = Object.entries(NOTIFY).find(([, value]) => value === code)?.[0] ?? `CODE_${code}`;
  const details = message.length >= OUT_HEADER_BYTES + 16 ? describe(code, view, message) : '';
  return `  !! ${name} ${details}`.trimEnd();
}

function describe(code: number, view: DataView, message: Uint8Array): string {
  const u64 = (at: number): bigint => view.getBigUint64(at, true);
  const name = (at: number, length: number): string =>
    quote(utf8.decode(message.subarray(at, at + length)));
  switch (code) {
    case NOTIFY.INVAL_INODE:
      return `node=${u64(16)} off=${view.getBigInt64(24, true)} len=${view.getBigInt64(32, true)}`;
    case NOTIFY.INVAL_ENTRY: {
      const flags = view.getUint32(28, true);
      const extra = flags === 0 ? '' : ` flags=${formatFlags(flags, INVAL_ENTRY_FLAGS)}`;
      return `parent=${u64(16)} name=${name(32, view.getUint32(24, true))}${extra}`;
    }
    case NOTIFY.DELETE:
      return `parent=${u64(16)} child=${u64(24)} name=${name(40, view.getUint32(32, true))}`;
    case NOTIFY.STORE:
      return `node=${u64(16)} offset=${u64(24)} size=${view.getUint32(32, true)}`;
    default:
      return `size=${message.length - OUT_HEADER_BYTES}`;
  }
}
