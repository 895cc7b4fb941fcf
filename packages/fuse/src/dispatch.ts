// From a message in the request buffer to the method that serves it, and to exactly one answer.

import { assert } from '@skein/bytes';
import { ERRNO } from '@skein/host';

import { FuseProtocolError } from './errors.ts';
import type { FuseHandler } from './handler.ts';
import type { Reply } from './reply.ts';
import { OPCODE, OPCODE_END, takesReply } from './wire/opcode.ts';
import { FuseRequest, type RequestBuffer } from './wire/request-buffer.ts';
import type { BatchForgetRequest } from './wire/requests/connection.ts';
import { createRequestViews, type RequestViews, viewsByOpcode } from './wire/request-views.ts';

type Serve = (request: FuseRequest, reply: Reply) => void;

interface Route {
  readonly view: FuseRequest;
  readonly serve: Serve;
  readonly takesReply: boolean;
}

export interface DispatcherOptions {
  readonly buffer: RequestBuffer;
  readonly reply: Reply;
  readonly handler: FuseHandler;
  /** INIT is the connection's own business. */
  readonly init: (request: RequestViews['INIT'], reply: Reply) => void;
  /** Sees every request before it is served: counts, trace. */
  readonly received: (request: FuseRequest) => void;
  /** A method threw. What this throws in turn ends the loop. */
  readonly handlerError: (error: unknown, request: FuseRequest) => void;
}

/** Makes the function that serves the message that is in the buffer now. */
export function createDispatcher(options: DispatcherOptions): () => void {
  const { buffer, reply, received, handlerError } = options;
  const routes = createRoutes(options);
  const unknown: Route = { view: new FuseRequest(buffer), serve: unsupported, takesReply: true };

  return () => {
    const opcode = buffer.readHeader();
    const route = routes[opcode] ?? unknown;
    const { view } = route;
    if (route.takesReply) reply.begin(view);
    try {
      view.check();
      received(view);
      route.serve(view, reply);
      assert(!reply.isOpen, 'A handler returned without an answer');
    } catch (error) {
      const isForeignName =
        error instanceof FuseProtocolError && error.code === 'FUSE_NAME_NOT_UTF8';
      if (reply.isOpen) reply.error(isForeignName ? ERRNO.EILSEQ : ERRNO.EIO);
      if (!isForeignName) handlerError(error, view);
    }
  };
}

const unsupported: Serve = (_request, reply) => reply.error(ERRNO.ENOSYS);
const succeed: Serve = (_request, reply) => reply.ok();
const ignore: Serve = () => {};

function createRoutes(options: DispatcherOptions): readonly (Route | undefined)[] {
  const views = createRequestViews(options.buffer);
  const byOpcode = viewsByOpcode(views);
  const services = createServices(options);
  return Array.from({ length: OPCODE_END }, (_, opcode) => {
    const view = byOpcode[opcode];
    if (view === undefined) return undefined;
    const serve = services.get(opcode) ?? unsupported;
    // To INTERRUPT the only answer is that it is not supported.
    const isSilent = opcode === OPCODE.INTERRUPT && serve !== unsupported;
    return { view, serve, takesReply: takesReply(opcode) && !isSilent };
  });
}

/** The handler's methods by opcode; each is only ever called with the view of that opcode. */
function createServices({ handler, init }: DispatcherOptions): ReadonlyMap<number, Serve> {
  const services = new Map<number, Serve>([
    [OPCODE.INIT, init as Serve],
    [OPCODE.DESTROY, destroy(handler)],
    [OPCODE.RELEASE, succeed],
    [OPCODE.RELEASEDIR, succeed],
    [OPCODE.NOTIFY_REPLY, ignore],
    [OPCODE.FORGET, forget(handler)],
    [OPCODE.BATCH_FORGET, batchForget(handler)],
  ]);
  for (const [method, ...opcodes] of METHODS) {
    const serve = handler[method] as Serve | undefined;
    if (serve === undefined) continue;
    for (const opcode of opcodes) services.set(opcode, serve.bind(handler));
  }
  return services;
}

function forget(handler: FuseHandler): Serve {
  return (request) => {
    handler.forget?.(request.nodeid, (request as RequestViews['FORGET']).nlookup);
  };
}

function batchForget(handler: FuseHandler): Serve {
  return (request) => {
    const batch = request as BatchForgetRequest;
    for (let index = 0; index < batch.count; index += 1) {
      handler.forget?.(batch.nodeidAt(index), batch.nlookupAt(index));
    }
  };
}

function destroy(handler: FuseHandler): Serve {
  return (_request, reply) => {
    handler.destroy?.();
    reply.ok();
  };
}

type Method = Exclude<keyof FuseHandler, 'forget' | 'destroy'>;

const METHODS: readonly (readonly [Method, ...number[]])[] = [
  ['lookup', OPCODE.LOOKUP],
  ['getattr', OPCODE.GETATTR],
  ['setattr', OPCODE.SETATTR],
  ['access', OPCODE.ACCESS],
  ['statfs', OPCODE.STATFS],
  ['readlink', OPCODE.READLINK],
  ['symlink', OPCODE.SYMLINK],
  ['mknod', OPCODE.MKNOD],
  ['mkdir', OPCODE.MKDIR],
  ['unlink', OPCODE.UNLINK],
  ['rmdir', OPCODE.RMDIR],
  ['rename', OPCODE.RENAME],
  ['rename2', OPCODE.RENAME2],
  ['link', OPCODE.LINK],
  ['create', OPCODE.CREATE],
  ['tmpfile', OPCODE.TMPFILE],
  ['open', OPCODE.OPEN],
  ['read', OPCODE.READ],
  ['write', OPCODE.WRITE],
  ['flush', OPCODE.FLUSH],
  ['fsync', OPCODE.FSYNC],
  ['release', OPCODE.RELEASE],
  ['fallocate', OPCODE.FALLOCATE],
  ['lseek', OPCODE.LSEEK],
  ['copyFileRange', OPCODE.COPY_FILE_RANGE, OPCODE.COPY_FILE_RANGE_64],
  ['syncfs', OPCODE.SYNCFS],
  ['ioctl', OPCODE.IOCTL],
  ['opendir', OPCODE.OPENDIR],
  ['readdir', OPCODE.READDIR],
  ['readdirplus', OPCODE.READDIRPLUS],
  ['fsyncdir', OPCODE.FSYNCDIR],
  ['releasedir', OPCODE.RELEASEDIR],
  ['getxattr', OPCODE.GETXATTR],
  ['listxattr', OPCODE.LISTXATTR],
  ['setxattr', OPCODE.SETXATTR],
  ['removexattr', OPCODE.REMOVEXATTR],
  ['getlk', OPCODE.GETLK],
  ['setlk', OPCODE.SETLK],
  ['setlkw', OPCODE.SETLKW],
  ['interrupt', OPCODE.INTERRUPT],
];
