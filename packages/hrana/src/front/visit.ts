// A pipeline that somebody has sent, and is let in.

import type { IncomingHttpHeaders } from 'node:http';

export interface Visit {
  readonly headers: IncomingHttpHeaders;
  readonly database: string;
  readonly body: Buffer;
  /** Whether nobody waits for the answer any more. */
  readonly isGone: () => boolean;
}
