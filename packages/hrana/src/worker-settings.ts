// What a worker is started with. It may be seen in the list of processes: no secret is in it.

import type { WorkbenchLimits } from './worker/workbench.ts';

export interface WorkerSettings extends WorkbenchLimits {
  /** Where the databases are: the mount. */
  readonly folder: string;
}

/** The descriptor of the socket to the server. */
export const WORKER_FD = 3;
