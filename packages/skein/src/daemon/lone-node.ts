// What the API tells of a node that is alone: it is primary, of itself.

import { PublishedLog } from '@skein/engine';

import type { ClusterControl } from '../api/cluster-control.ts';
import type { ClusterStatus } from '../api/cluster-status.ts';
import { EventHub, type RoleData } from '../api/events.ts';

export class LoneNode implements ClusterControl {
  readonly events: EventHub = new EventHub();
  readonly #log: PublishedLog;

  /** Of PublishedLog. */
  constructor(publishedLog: SharedArrayBuffer) {
    this.#log = new PublishedLog(publishedLog);
  }

  role(): RoleData {
    return { isPrimary: true, role: 'primary', epoch: this.#log.epoch };
  }

  status(): ClusterStatus | undefined {
    return undefined;
  }

  unreadiness(): string | undefined {
    return undefined;
  }
}
