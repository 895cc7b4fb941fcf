// The instants that Seafowl's `t('…')` takes: RFC 3339, RFC 2822, and `YYYY-MM-DD HH:MM:SS` with an
// optional zone; without one it is UTC.

const TIME = '\\d{2}:\\d{2}(?::\\d{2}(?:\\.\\d{1,9})?)?';
const ZONE = 'Z|[+-]\\d{2}(?::?\\d{2})?';
const ISO = new RegExp(`^(\\d{4}-\\d{2}-\\d{2})(?:[ T](${TIME}))?\\s*(${ZONE})?$`, 'i');
const RFC_2822 =
  /^(?:\w{3},\s+)?\d{1,2}\s+\w{3}\s+\d{4}\s+\d{2}:\d{2}(?::\d{2})?\s+(?:[+-]\d{4}|GMT|UTC)$/;

/**
 * The instant as a literal that DuckDB reads exactly, or undefined if the text is none. Seafowl's
 * versions have whole seconds: an instant without a fraction means all of its second.
 */
export function maybeParseInstant(text: string): string | undefined {
  const iso = ISO.exec(text.trim());
  let standard = text.trim();
  if (iso !== null) {
    const [, date, time = '00:00:00', zone = 'Z'] = iso;
    standard = `${date}T${time.length === 5 ? `${time}:00` : time}${fullZone(zone)}`;
  } else if (!RFC_2822.test(standard)) {
    return undefined;
  }
  const milliseconds = Date.parse(standard);
  if (Number.isNaN(milliseconds)) return undefined;
  const fraction = /\.(\d+)/.exec(standard)?.[1];
  const micros = fraction === undefined ? '999999' : fraction.padEnd(6, '0').slice(0, 6);
  const seconds = new Date(Math.floor(milliseconds / 1000) * 1000).toISOString().slice(0, 19);
  return `${seconds.replace('T', ' ')}.${micros}+00`;
}

function fullZone(zone: string): string {
  if (/^z$/i.test(zone)) return 'Z';
  const digits = zone.slice(1).replace(':', '');
  return `${zone[0]}${digits.slice(0, 2)}:${digits.slice(2, 4).padEnd(2, '0')}`;
}
