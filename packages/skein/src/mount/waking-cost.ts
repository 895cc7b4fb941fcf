// Whether it is dear to wake an idle CPU of this machine: on a virtual machine whose kernel does
// not wait a moment before it gives an idle CPU back to the hypervisor (haltpoll,
// Documentation/virt/guest-halt-polling.rst in the kernel's sources).

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** The setting: for how many nanoseconds an idle CPU waits. */
export const HALT_POLL_PATH = '/sys/module/haltpoll/parameters/guest_halt_poll_ns';

/** With more CPUs than this, keeping all of them awake costs more than it brings. */
const CPUS_MAX = 4;

/** How long an idle CPU waits, in nanoseconds; undefined where that is not the kernel's affair. */
export function maybeReadHaltPollNs(): number | undefined {
  try {
    return Number(readFileSync(HALT_POLL_PATH, 'latin1'));
  } catch {
    return undefined;
  }
}

export function isWakingDear(): boolean {
  return maybeReadHaltPollNs() === 0 && availableParallelism() <= CPUS_MAX;
}
