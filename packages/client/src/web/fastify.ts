// The plugin for Fastify:
//
//   await app.register(skeinFastify, { node, database });      before the routes
//
// It belongs to the whole application, as one that is wrapped in fastify-plugin does.

import type { FastifyError, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';

import { maybeErrorAnswer } from './answers.ts';
import { Gate } from './gate.ts';
import { addHeadersLate, arrivalOf, sendWebAnswer } from './node-http.ts';
import { resolveOptions, type WebOptions } from './options.ts';

export type { FindPrimary, RequestKind, RequestLine, WebOptions } from './options.ts';

/** Routes requests between nodes, answers health, lets clients read what they wrote. */
export const skeinFastify: FastifyPluginCallback<WebOptions> = (app, options, done) => {
  const { node } = options;
  const gate = new Gate(resolveOptions(options));
  app.addHook('onRequest', async (request, reply) => {
    const verdict = await gate.arrive(arrivalOf(request.raw, reply.raw, request.originalUrl));
    if (verdict.go === 'on') {
      addHeadersLate(reply.raw, verdict.seen);
      return;
    }
    reply.hijack();
    sendWebAnswer(reply.raw, verdict.answer);
  });
  // A route's own handler of errors passes what it does not know to that of the application, which
  // stays as it is.
  app.addHook('onRoute', (route) => {
    route.errorHandler ??= (error: FastifyError, _request: FastifyRequest, reply: FastifyReply) => {
      const answer = maybeErrorAnswer(error, node);
      if (answer === undefined) throw error;
      const { status, headers, body } = answer;
      for (let i = 0; i + 1 < headers.length; i += 2) reply.header(headers[i]!, headers[i + 1]!);
      reply.code(status).send(body);
    };
  });
  done();
};

Object.assign(skeinFastify, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@skein/client',
});
