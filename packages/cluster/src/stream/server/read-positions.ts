// Waits for the position map of a replica. The time for it is bounded by that for the handshake.

import type { ServerHttp2Stream } from 'node:http2';

import { ReplicationError } from '../../errors.ts';
import { ClientDecoder } from '../../wire/client-decoder.ts';
import type { Dialect } from '../../wire/server-decoder.ts';

/** The decoder, when it has the map. Throws ReplicationError. The stream is paused then. */
export function readPositions(stream: ServerHttp2Stream, dialect: Dialect): Promise<ClientDecoder> {
  const decoder = new ClientDecoder(dialect);
  return new Promise((resolve, reject) => {
    const settle = (run: () => void): void => {
      stream.off('data', onData);
      stream.off('end', onEnd);
      stream.off('close', onClose);
      stream.pause();
      run();
    };
    const attempt = (step: () => void): void => {
      try {
        step();
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const onData = (bytes: Buffer): void =>
      attempt(() => {
        // A replica says nothing more before it has an answer, so no frame gets lost here.
        decoder.push(bytes);
        if (decoder.positions !== undefined) settle(() => resolve(decoder));
      });
    const onEnd = (): void => attempt(() => decoder.finish());
    const onClose = (): void => {
      const message = 'Cannot serve: the connection broke inside of the position map';
      settle(() => reject(new ReplicationError('STREAM_TRUNCATED', message)));
    };
    stream.on('data', onData);
    stream.on('end', onEnd);
    stream.on('close', onClose);
  });
}
