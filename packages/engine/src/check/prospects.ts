// Which remedies are any good, when all that is wrong with a data folder is known.

import { formatTxid, type Txid } from '@skein/ltx';

import type { DatabaseSurvey } from './database-survey.ts';
import type { Fault } from './fault.ts';
import type { LogSurvey } from './log-survey.ts';

/** More names than these say nothing new. */
const NAMES_MAX = 5;

const LEFTOVER_HINT = 'Left until the damage is dealt with: what is lost may be in it';

/** Takes from each fault a remedy that could lose something. */
export function withProspects(
  faults: readonly Fault[],
  log: LogSurvey,
  databases: ReadonlyMap<string, DatabaseSurvey>,
): Fault[] {
  const lost = [...databases.values()].filter(({ plan, isKnown }) => isKnown && plan === undefined);
  const isLogDispensable = !log.isEndLost && lost.length === 0;
  const hopeful = faults.map((fault) =>
    fault.remedy?.kind === 'new-log' && !isLogDispensable
      ? withHint(fault, describeLoss(lost))
      : fault,
  );
  const isHopeless = hopeful.some(({ kind, remedy }) => kind === 'damage' && remedy === undefined);
  if (!isHopeless) return hopeful;
  return hopeful.map((fault) =>
    fault.kind === 'leftover' && fault.remedy !== undefined
      ? withHint(fault, LEFTOVER_HINT)
      : fault,
  );
}

function describeLoss(lost: readonly DatabaseSurvey[]): string {
  const names = lost.slice(0, NAMES_MAX).map(({ logged }) => {
    const txid = (logged.state ?? logged.checkpoint)?.txid ?? (0n as Txid);
    return `${logged.name} after transaction ${formatTxid(txid)}`;
  });
  const list = names.join(', ') + (lost.length > NAMES_MAX ? ', and others' : '');
  return `What may be lost: ${list}. Restore from an export or another copy`;
}

function withHint({ remedy: _remedy, ...rest }: Fault, hint: string): Fault {
  return { ...rest, hint };
}
