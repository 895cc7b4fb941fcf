// How findings speak of records of the log.

export function formatRecords(firstLsn: number, lastLsn: number): string {
  return firstLsn === lastLsn ? `record ${firstLsn}` : `records ${firstLsn} to ${lastLsn}`;
}
