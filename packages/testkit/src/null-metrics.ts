// Metrics for tests that do not look at them.

import type { Metrics } from '@skein/host';

export const nullMetrics: Metrics = {
  counter: () => ({ add: () => {} }),
  gauge: () => ({ set: () => {} }),
};
