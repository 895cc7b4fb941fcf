// A successful reply in words, for the trace. What it holds depends on the opcode it answers.

import { FOPEN, formatFlags } from './flags.ts';
import { OPCODE } from './opcode.ts';
import { octal, quote } from './requests/format.ts';
import { ENTRY_OUT_BYTES, OUT_HEADER_BYTES as BODY } from './structs.ts';

const utf8 = new TextDecoder();

interface ReplyBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly length: number;
}

function u64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function seconds(view: DataView, secondsAt: number, nanosecondsAt: number): string {
  return `${u64(view, secondsAt) + view.getUint32(nanosecondsAt, true) / 1e9}s`;
}

function attr(view: DataView, at: number): string {
  const mode = octal(view.getUint32(at + 60, true));
  return `size=${u64(view, at + 8)} mode=${mode}`;
}

function entry({ view }: ReplyBytes): string {
  const nodeid = u64(view, BODY);
  const valid = seconds(view, BODY + 16, BODY + 32);
  if (nodeid === 0) return `no such name valid=${valid}`;
  const attrValid = seconds(view, BODY + 24, BODY + 36);
  return `node=${nodeid} ${attr(view, BODY + 40)} valid=${valid} attr_valid=${attrValid}`;
}

function attributes({ view }: ReplyBytes): string {
  return `${attr(view, BODY + 16)} attr_valid=${seconds(view, BODY, BODY + 8)}`;
}

function open({ view }: ReplyBytes, at = BODY): string {
  const flags = view.getUint32(at + 8, true);
  const backing = view.getInt32(at + 12, true);
  const text = `fh=${u64(view, at)} flags=${formatFlags(flags, FOPEN)}`;
  return backing === 0 ? text : `${text} backing=${backing}`;
}

function size({ length }: ReplyBytes): string {
  return `size=${length - BODY}`;
}

function dirents({ view, bytes, length }: ReplyBytes, prefix: number): string {
  const names: string[] = [];
  let at = BODY;
  while (at + prefix + 24 <= length) {
    const namelen = view.getUint32(at + prefix + 16, true);
    const start = at + prefix + 24;
    names.push(quote(utf8.decode(bytes.subarray(start, Math.min(start + namelen, length)))));
    at += prefix + ((24 + namelen + 7) & ~7);
  }
  return `entries=${names.length} ${names.join(' ')}`.trimEnd();
}

function lock({ view }: ReplyBytes): string {
  const type = ['read', 'write', 'unlocked'][view.getUint32(BODY + 16, true)] ?? 'unknown';
  return `type=${type} start=${u64(view, BODY)} end=${u64(view, BODY + 8)}`;
}

function init({ view }: ReplyBytes): string {
  const version = `${view.getUint32(BODY, true)}.${view.getUint32(BODY + 4, true)}`;
  const flags = view.getUint32(BODY + 12, true).toString(16);
  const flags2 = view.getUint32(BODY + 32, true).toString(16);
  const write = view.getUint32(BODY + 20, true);
  return `version=${version} max_write=${write} flags=0x${flags} flags2=0x${flags2}`;
}

type Describe = (reply: ReplyBytes) => string;

/** Bytes that a body of the opcode has at least, and how to read them. */
const DESCRIBERS = new Map<number, readonly [minBytes: number, Describe]>([
  [OPCODE.LOOKUP, [ENTRY_OUT_BYTES, entry]],
  [OPCODE.SYMLINK, [ENTRY_OUT_BYTES, entry]],
  [OPCODE.MKNOD, [ENTRY_OUT_BYTES, entry]],
  [OPCODE.MKDIR, [ENTRY_OUT_BYTES, entry]],
  [OPCODE.LINK, [ENTRY_OUT_BYTES, entry]],
  [OPCODE.CREATE, [144, (reply) => `${entry(reply)} ${open(reply, BODY + ENTRY_OUT_BYTES)}`]],
  [OPCODE.TMPFILE, [144, (reply) => `${entry(reply)} ${open(reply, BODY + ENTRY_OUT_BYTES)}`]],
  [OPCODE.GETATTR, [104, attributes]],
  [OPCODE.SETATTR, [104, attributes]],
  [OPCODE.STATX, [288, ({ view }) => `size=${u64(view, BODY + 32 + 40)}`]],
  [OPCODE.OPEN, [16, (reply) => open(reply)]],
  [OPCODE.OPENDIR, [16, (reply) => open(reply)]],
  [OPCODE.READ, [0, size]],
  [OPCODE.READLINK, [0, ({ bytes, length }) => quote(utf8.decode(bytes.subarray(BODY, length)))]],
  [OPCODE.READDIR, [0, (reply) => dirents(reply, 0)]],
  [OPCODE.READDIRPLUS, [0, (reply) => dirents(reply, ENTRY_OUT_BYTES)]],
  [OPCODE.WRITE, [8, ({ view }) => `size=${view.getUint32(BODY, true)}`]],
  [OPCODE.COPY_FILE_RANGE, [8, ({ view }) => `size=${view.getUint32(BODY, true)}`]],
  [OPCODE.COPY_FILE_RANGE_64, [8, ({ view }) => `size=${u64(view, BODY)}`]],
  [OPCODE.GETXATTR, [0, size]],
  [OPCODE.LISTXATTR, [0, size]],
  [OPCODE.STATFS, [80, ({ view }) => `blocks=${u64(view, BODY)} bavail=${u64(view, BODY + 16)}`]],
  [OPCODE.LSEEK, [8, ({ view }) => `offset=${u64(view, BODY)}`]],
  [OPCODE.GETLK, [24, lock]],
  [OPCODE.BMAP, [8, ({ view }) => `block=${u64(view, BODY)}`]],
  [OPCODE.IOCTL, [16, ({ view }) => `result=${view.getInt32(BODY, true)}`]],
  [OPCODE.POLL, [8, ({ view }) => `revents=0x${view.getUint32(BODY, true).toString(16)}`]],
  [OPCODE.INIT, [64, init]],
]);

/** Essentials of the body of a reply that is no error; "size=N" for one that cannot be read. */
export function describeReplyBody(opcode: number, bytes: Uint8Array, length: number): string {
  const reply = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset), length };
  const [minBytes, describe] = DESCRIBERS.get(opcode) ?? [Infinity, size];
  if (length - BODY >= minBytes) return describe(reply);
  return length === BODY ? '' : size(reply);
}
