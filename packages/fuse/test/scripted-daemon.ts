// The worker behind TestMount: serves a folder of files in memory and misbehaves on command.

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';

import { ERRNO } from '@skein/host';

import { findPassthroughObstacle, registerBackingFile } from '../src/backing-files.ts';
import { DeviceLoop } from '../src/device-loop.ts';
import type { FuseHandler } from '../src/handler.ts';
import { trySetReadahead } from '../src/mount/connection.ts';
import type {
  AttrReply,
  CreateReply,
  DataReply,
  EmptyReply,
  LookupReply,
  OpenReply,
  WriteReply,
} from '../src/reply.ts';
import { RequestCounts } from '../src/request-counts.ts';
import { FATTR, FOPEN } from '../src/wire/flags.ts';
import type { InitFlag } from '../src/wire/init.ts';
import { opcodeName } from '../src/wire/opcode.ts';
import type { GetattrRequest, SetattrRequest } from '../src/wire/requests/attributes.ts';
import type { ReadRequest, WriteRequest } from '../src/wire/requests/data.ts';
import type { CreateRequest, FsyncRequest, OpenRequest } from '../src/wire/requests/handles.ts';
import type { NameRequest } from '../src/wire/requests/names.ts';
import type { EntryOut, FuseAttr, OpenOut } from '../src/wire/structs.ts';

/** What the worker is given at its start. */
export interface Setup {
  readonly fd: number;
  readonly deviceMinor: number;
  readonly wakeFd: number;
  readonly counts: SharedArrayBuffer;
  readonly flags: readonly InitFlag[];
  readonly files: Readonly<Record<string, string>>;
  /** Backing file of every open, if passthrough is wanted. */
  readonly backingFd?: number;
}

/** What it is told while it serves; `name` is an opcode, or with `set` a file. */
export type Command =
  | { readonly do: 'hold' | 'throw' | 'crash'; readonly name: string }
  | { readonly do: 'release' | 'stop' | 'echo' }
  | { readonly do: 'set'; readonly name: string; readonly content: string };

/** What it tells. */
export interface Event {
  readonly kind: string;
  readonly text: string;
}

const ROOT = 1;
const VALID_MS = 60_000;

class ScriptedDaemon implements FuseHandler {
  readonly loop: DeviceLoop;
  readonly #contents: Map<string, Buffer>;
  /** Names by node id: the root has none. */
  readonly #names: string[] = ['', ''];
  /** What to do at the next request of a kind. */
  readonly #orders = new Map<string, string>();
  readonly #held = new Map<string, EmptyReply>();
  #backingId = 0;

  constructor(setup: Setup) {
    const { fd, wakeFd, counts, flags, files, backingFd } = setup;
    const entries = Object.entries(files);
    this.#contents = new Map(entries.map(([name, text]) => [name, Buffer.from(text)]));
    this.loop = new DeviceLoop({
      fd,
      wakeFd,
      handler: this,
      init: { flags },
      counts: new RequestCounts(counts),
      trace: (line) => tell('trace', line),
      negotiated: (negotiated) => {
        trySetReadahead(setup.deviceMinor, 1 << 20);
        if (backingFd !== undefined) {
          const obstacle = findPassthroughObstacle(negotiated, fd, backingFd);
          if (obstacle === undefined) this.#backingId = registerBackingFile(fd, backingFd);
          tell('obstacle', String(obstacle));
        }
        tell('negotiated', `7.${negotiated.minor} ${[...negotiated.flags].sort().join(' ')}`);
      },
      received: (request) => tell('received', opcodeName(request.opcode)),
      idle: () => {
        tell('idle');
        return 10_000;
      },
      wake: () => {
        for (;;) {
          const received: { message: Command } | undefined = receiveMessageOnPort(parentPort!);
          if (received === undefined) break;
          this.#obey(received.message);
        }
      },
      handlerError: (error, request) => {
        if (error instanceof TypeError) throw error;
        tell('error', `${request}: ${String(error)}`);
      },
    });
  }

  #obey(command: Command): void {
    switch (command.do) {
      case 'stop':
        this.loop.stop();
        break;
      case 'release':
        for (const reply of this.#held.values()) reply.ok();
        this.#held.clear();
        break;
      case 'set':
        this.#contents.set(command.name, Buffer.from(command.content));
        break;
      case 'echo':
        break;
      case 'hold':
      case 'throw':
      case 'crash':
        this.#orders.set(command.name, command.do);
    }
    tell('done', `${command.do} ${this.loop.heldCount}`);
  }

  /** Does what was ordered for this request; false when nothing was. */
  #misbehave(name: string, reply: EmptyReply): boolean {
    const order = this.#orders.get(name);
    this.#orders.delete(name);
    if (order === 'throw') throw new Error(`ordered at ${name}`);
    if (order === 'crash') throw new TypeError('ordered to crash');
    if (order === 'hold') {
      this.#held.set(name, reply.hold());
      tell('held', name);
    }
    return order !== undefined;
  }

  #nodeOf(name: string): number {
    const known = this.#names.indexOf(name, ROOT);
    return known === -1 ? this.#names.push(name) - 1 : known;
  }

  #contentOf(nodeid: number): Buffer {
    return this.#contents.get(this.#names[nodeid]!) ?? Buffer.alloc(0);
  }

  #entry(nodeid: number): EntryOut {
    const size = this.#contentOf(nodeid).length;
    const mode = nodeid === ROOT ? 0o40777 : 0o100666;
    const times = { atime: 0, mtime: 0, ctime: 0, atimensec: 0, mtimensec: 0, ctimensec: 0 };
    const rest = { blocks: 1, nlink: 1, uid: 0, gid: 0, rdev: 0, blksize: 4096 };
    const attr: FuseAttr = { ino: nodeid, size, mode, ...times, ...rest };
    return { nodeid, generation: 0, attr, entryValidMs: VALID_MS, attrValidMs: VALID_MS };
  }

  #open(fh: number): OpenOut {
    const openFlags = this.#backingId === 0 ? FOPEN.KEEP_CACHE : FOPEN.PASSTHROUGH;
    return { fh, openFlags, backingId: this.#backingId };
  }

  lookup({ name }: NameRequest, reply: LookupReply): void {
    if (this.#contents.has(name)) reply.entry(this.#entry(this.#nodeOf(name)));
    else reply.negativeEntry(VALID_MS);
  }

  getattr({ nodeid }: GetattrRequest, reply: AttrReply): void {
    reply.attr(this.#entry(nodeid));
  }

  setattr(request: SetattrRequest, reply: AttrReply): void {
    const content = this.#contentOf(request.nodeid);
    const name = this.#names[request.nodeid]!;
    if (request.sets(FATTR.SIZE)) this.#contents.set(name, content.subarray(0, request.size));
    reply.attr(this.#entry(request.nodeid));
  }

  create({ name }: CreateRequest, reply: CreateReply): void {
    this.#contents.set(name, Buffer.alloc(0));
    const nodeid = this.#nodeOf(name);
    reply.create(this.#entry(nodeid), this.#open(nodeid));
  }

  open({ nodeid }: OpenRequest, reply: OpenReply): void {
    reply.open(this.#open(nodeid));
  }

  read({ nodeid, offset, size }: ReadRequest, reply: DataReply): void {
    const data = this.#contentOf(nodeid).subarray(offset, offset + size);
    reply.bytes.set(data, reply.dataStart);
    reply.data(data.length);
  }

  write({ nodeid, offset, size, buffer, dataStart }: WriteRequest, reply: WriteReply): void {
    const before = this.#contentOf(nodeid);
    const after = Buffer.alloc(Math.max(before.length, offset + size));
    before.copy(after);
    after.set(buffer.bytes.subarray(dataStart, dataStart + size), offset);
    this.#contents.set(this.#names[nodeid]!, after);
    reply.written(size);
  }

  fsync(_request: FsyncRequest, reply: EmptyReply): void {
    if (!this.#misbehave('FSYNC', reply)) reply.ok();
  }

  unlink({ name }: NameRequest, reply: EmptyReply): void {
    if (this.#misbehave('UNLINK', reply)) return;
    this.#contents.delete(name);
    reply.ok();
  }

  interrupt(): void {
    this.#held.get('FSYNC')?.error(ERRNO.EINTR);
    this.#held.delete('FSYNC');
  }
}

function tell(kind: string, text = ''): void {
  const event: Event = { kind, text };
  parentPort!.postMessage(event, []);
}

tell('end', new ScriptedDaemon(workerData as Setup).loop.run());
