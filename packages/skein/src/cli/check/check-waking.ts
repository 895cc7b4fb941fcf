// What it costs to wake an idle CPU: each FUSE request does so twice.

import { HALT_POLL_PATH, maybeReadHaltPollNs } from '../../mount/waking-cost.ts';
import type { CheckResult } from './check-result.ts';

/** The kernel's own default where nobody has changed it. */
const HALT_POLL_DEFAULT_NS = 200_000;

export function checkWaking(haltPollNs: number | undefined = maybeReadHaltPollNs()): CheckResult {
  const name = 'idle CPUs';
  if (haltPollNs === undefined) {
    return { name, level: 'ok', message: 'no setting of a virtual machine makes waking them dear' };
  }
  if (haltPollNs > 0) {
    return { name, level: 'ok', message: `they wait ${haltPollNs} ns before they sleep` };
  }
  return {
    name,
    level: 'warn',
    message:
      'they go to the hypervisor at once (guest_halt_poll_ns is 0): durable writes take about ' +
      'twice as long',
    fix: `echo ${HALT_POLL_DEFAULT_NS} > ${HALT_POLL_PATH}; --stay-awake makes up for most of it`,
  };
}
